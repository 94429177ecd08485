package headerinstall

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Action says what an installation does with a file.
type Action string

// The actions. A file that is the same is left alone, save that a wrong mode or owner is repaired.
const (
	New     Action = "new"     // nothing is there
	Changed Action = "changed" // something else is there, and is replaced
	Same    Action = "same"    // the content is there already
	Stale   Action = "stale"   // ours, and no source leads to it any more: removed
	Kept    Action = "kept"    // stale, but changed by someone else: left there, no longer ours
)

// Why returns the reason of an action, as a clause.
func (a Action) Why() string { return whys[a] }

var whys = map[Action]string{
	New:     "nothing is there",
	Changed: "something else is there",
	Same:    "the content is there already",
	Stale:   "no source leads to it any more",
	Kept:    "no source leads to it any more, but it was changed after it was installed",
}

// An Entry is a header and what happens to it. A Stale or Kept entry is as the last manifest had it.
type Entry struct {
	File
	Action Action `json:"action"`

	tree   *sourceTree // that Source is in; nil if no source leads to it any more
	link   bool        // Source is a symbolic link
	listed status      // of Source, when it was listed
	owned  []File      // as the last manifest has it, then as a killed run's journal has it; nil if foreign
	repair bool        // the content is right, the mode or owner is not
}

func (e *Entry) source() source { return source{e.tree, e.Source, e.link, e.listed} }

// Depth is the number of directories between the destination directory and the header.
func (f File) Depth() int { return strings.Count(f.Destination, "/") }

// A Plan says what an installation will do.
type Plan struct {
	Config   Config     // defaults filled in
	Entries  []Entry    // sorted by destination, one for each
	Excluded []Excluded // sorted by source
	Findings []Finding  // headers that were forgotten, then rules that match nothing
	Warnings []string   // what is suspicious, yet no reason to stop

	last     record // what there was when the plan was made
	outlived []File // of the last manifest: no source leads to them any more, whether they are still there or not
}

// An Excluded header is one that a rule kept from being installed.
type Excluded struct {
	Source string `json:"source"` // as written
	Match  string `json:"match"`  // of the Exclusion
	Reason string `json:"reason"` // of the Exclusion
}

// FindingKind says what a Finding is about.
type FindingKind string

// The kinds of findings.
const (
	ForgottenHeader FindingKind = "forgotten-header" // a *.h that is neither installed nor excluded
	UnusedRule      FindingKind = "unused-rule"      // an include, exclude or map rule that matches nothing
)

// A Finding is something wrong with the rules, which does not keep headers from being installed.
type Finding struct {
	Kind    FindingKind `json:"kind"`
	Subject string      `json:"subject"` // the header as written, or the rule
	Message string      `json:"message"` // what is wrong, as a clause
	Remedy  string      `json:"remedy"`
}

// NewPlan reads all sources, the destination and the last manifest, and writes nothing. If
// anything is wrong with the sources or the destination, the error holds all that is; Problems
// takes it apart.
func NewPlan(ctx context.Context, c Config) (Plan, error) {
	c, err := c.complete()
	if err != nil {
		return Plan{}, fmt.Errorf("planning headers: %w", err)
	}
	dest, err := c.openDest()
	if err != nil {
		return Plan{}, fmt.Errorf("planning headers for %s: %w", c.Dest, err)
	}
	defer dest.close()
	return newPlan(ctx, c, dest, allDigests)
}

// digests says of which headers a plan has digests.
type digests bool

const (
	allDigests  digests = true
	sameDigests digests = false // of those only that are there already; installing the others finds theirs
)

func newPlan(ctx context.Context, c Config, dest dir, want digests) (Plan, error) {
	p, err := makePlan(ctx, c, dest, want)
	if err != nil {
		return Plan{}, fmt.Errorf("planning headers for %s: %w", c.Dest, err)
	}
	return p, nil
}

func makePlan(ctx context.Context, c Config, dest dir, want digests) (Plan, error) {
	p := Plan{Config: c}
	var found *finder
	reading := new(errgroup.Group)
	reading.Go(func() (err error) { p.last, err = readRecord(c.Manifest); return err })
	reading.Go(func() (err error) { found, err = find(ctx, &p.Config, dest); return err })
	if err := reading.Wait(); err != nil {
		return Plan{}, err
	}
	entries, problems := found.entries()
	s := survey{config: &p.Config, dest: dest, want: want, recorded: p.last.manifest.id.since(), problems: slices.Concat(found.problems, problems)}
	entries = s.merge(entries)
	s.problems = append(s.problems, filesAsDirs(entries)...)
	p.Entries = withOwned(entries, p.last.files)
	if err := s.decideAll(ctx, p.Entries); err != nil {
		return Plan{}, err
	}
	if len(s.problems) > 0 {
		slices.SortStableFunc(s.problems, func(a, b *Problem) int { return cmp.Compare(a.Path, b.Path) })
		return Plan{}, problemList(s.problems)
	}
	for i := range p.Entries {
		if e := &p.Entries[i]; e.tree == nil {
			p.outlived = append(p.outlived, e.File)
		}
	}
	p.Entries = slices.DeleteFunc(p.Entries, func(e Entry) bool { return e.Action == "" })
	p.Excluded = found.excluded
	slices.SortFunc(p.Excluded, func(a, b Excluded) int { return cmp.Compare(a.Source, b.Source) })
	slices.SortFunc(found.findings, func(a, b Finding) int { return cmp.Compare(a.Subject, b.Subject) })
	p.Findings = append(found.findings, found.rules.unused()...)
	p.Warnings = slices.Concat(found.warnings, caseWarning(p.Entries), keptWarnings(p.Entries))
	return p, nil
}

// entries returns what has been found, and the extra files, sorted by destination. A destination that
// several sources have comes as often.
func (f *finder) entries() (entries []Entry, problems []*Problem) {
	entries = make([]Entry, 0, len(f.sources)+len(f.config.Extra))
	for _, s := range f.sources {
		dest, problem := f.destination(s.written)
		if problem != nil {
			problems = append(problems, problem)
			continue
		}
		entries = append(entries, Entry{File: File{Destination: dest, Source: s.written, Mode: FileMode}, tree: s.tree, link: s.link, listed: s.status})
	}
	for _, extra := range f.config.Extra {
		if why := unsafeName(extra.Source); why != "" {
			problems = append(problems, &Problem{Reason: UnsafeName, Path: extra.Source, Detail: why})
			continue
		}
		above, _ := path.Split(extra.Source)
		entries = append(entries, Entry{
			File: File{Destination: extra.To, Source: extra.Source, Mode: FileMode},
			tree: newSourceTree(above, f.config.onDisk(above)), link: true,
		})
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Destination, b.Destination) })
	return entries, problems
}

// destination is where a source goes.
func (f *finder) destination(written string) (string, *Problem) {
	if why := unsafeName(written); why != "" {
		return "", &Problem{Reason: UnsafeName, Path: written, Detail: why}
	}
	dest, problem := destinationOf(written, f.config.strip())
	if problem != nil {
		return "", problem
	}
	moved := f.rules.moved(dest)
	if moved == dest { // a part of what is safe
		return dest, nil
	}
	if why := unsafeName(moved); why != "" {
		return "", &Problem{Reason: UnsafeName, Path: written, Detail: fmt.Sprintf("would be installed as %q, which %s", moved, why)}
	}
	return moved, nil
}

// filesAsDirs finds the files that other files need as a directory.
func filesAsDirs(entries []Entry) (problems []*Problem) {
	checked, last := map[string]bool{".": true}, "."
	for i := range entries {
		e := &entries[i]
		own := dirOf(e.Destination)
		if own == last {
			continue
		}
		last = own
		for dir := own; !checked[dir]; dir = dirOf(dir) {
			checked[dir] = true
			i, ok := slices.BinarySearchFunc(entries, dir, func(e Entry, dir string) int { return cmp.Compare(e.Destination, dir) })
			if ok {
				problems = append(problems, &Problem{Reason: FileVersusDir, Path: dir,
					Detail:  fmt.Sprintf("would be a file, and the directory of %q", e.Destination),
					Sources: []string{entries[i].Source, e.Source}})
			}
		}
	}
	return problems
}

// withOwned tells each entry what is known of its destination, and adds those that no source leads to any
// more. Both lists are sorted.
func withOwned(entries []Entry, last []File) []Entry {
	var stale []Entry
	i := 0
	for len(last) > 0 {
		n := 1
		for n < len(last) && last[n].Destination == last[0].Destination {
			n++
		}
		owned := last[:n]
		last = last[n:]
		order := -1
		for i < len(entries) {
			if order = strings.Compare(owned[0].Destination, entries[i].Destination); order <= 0 {
				break
			}
			i++
		}
		if order == 0 && i < len(entries) {
			entries[i].owned = owned
		} else {
			stale = append(stale, Entry{File: owned[n-1], owned: owned})
		}
	}
	if len(stale) > 0 {
		entries = append(entries, stale...)
		slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Destination, b.Destination) })
	}
	return entries
}

// caseWarning reports headers that a file system that ignores case cannot hold at once.
func caseWarning(entries []Entry) []string {
	folded := map[string]string{} // of those that have an upper-case letter: of two that collide, one has
	for i := range entries {
		if e := &entries[i]; e.isInstalled() && !isLower(e.Destination) {
			folded[strings.ToLower(e.Destination)] = e.Destination
		}
	}
	if len(folded) == 0 {
		return nil
	}
	pairs, one, other := 0, "", ""
	for i := range entries {
		e := &entries[i]
		collides, ok := folded[strings.ToLower(e.Destination)]
		if !ok || collides == e.Destination || !e.isInstalled() {
			continue
		}
		if pairs++; pairs == 1 {
			one, other = collides, e.Destination
		}
	}
	const remedy = "; a file system that ignores case cannot hold both: rename one"
	switch pairs {
	case 0:
		return nil
	case 1:
		return []string{fmt.Sprintf("%q and %q differ only in case", one, other) + remedy}
	}
	return []string{fmt.Sprintf("%d pairs of headers differ only in case, such as %q and %q", pairs, one, other) + remedy}
}

// isLower says whether a name is ASCII without upper-case letters.
func isLower(name string) bool {
	for i := range len(name) {
		if c := name[i]; 'A' <= c && c <= 'Z' || c >= 0x80 {
			return false
		}
	}
	return true
}

func keptWarnings(entries []Entry) (warnings []string) {
	for _, e := range entries {
		if e.Action == Kept {
			warnings = append(warnings, fmt.Sprintf("%q is stale, but was changed after it was installed; "+
				"it is left there, and is no longer tracked", e.Destination))
		}
	}
	return warnings
}

// isInstalled says whether the entry's header is there once the plan is carried out.
func (e *Entry) isInstalled() bool { return e.Action == New || e.Action == Changed || e.Action == Same }

// installed yields what is in the destination once the plan is carried out.
func (p *Plan) installed() iter.Seq[*File] {
	return func(yield func(*File) bool) {
		for i := range p.Entries {
			if e := &p.Entries[i]; e.isInstalled() && !yield(&e.File) {
				return
			}
		}
	}
}

// isRecorded says whether the last manifest has the very text that the plan's would have.
func (p *Plan) isRecorded() bool {
	last := &p.last.manifest
	if !p.last.hasManifest || !last.asEncoded || last.Strip != p.Config.strip() {
		return false
	}
	rest := last.Files
	for f := range p.installed() {
		if len(rest) == 0 || !f.equal(&rest[0]) {
			return false
		}
		rest = rest[1:]
	}
	return len(rest) == 0
}

// Manifest is what the plan's installation will have written.
func (p Plan) Manifest() Manifest {
	m := Manifest{Format: Format, Strip: p.Config.strip(), Files: make([]File, 0, len(p.Entries))}
	for f := range p.installed() {
		m.Files = append(m.Files, *f)
	}
	return m
}

// Totals sums a plan up.
type Totals struct {
	Headers  int            `json:"headers"`   // in the destination afterwards, of ours
	Bytes    int64          `json:"bytes"`     // of those headers
	ByDepth  []int          `json:"by_depth"`  // headers at each depth, from 0
	ByAction map[Action]int `json:"by_action"` // entries, also of those that go or are given up
}

// Totals sums the plan up.
func (p Plan) Totals() Totals {
	t := Totals{ByAction: map[Action]int{}}
	for _, e := range p.Entries {
		t.ByAction[e.Action]++
		if !e.isInstalled() {
			continue
		}
		t.Headers++
		t.Bytes += e.Size
		for len(t.ByDepth) <= e.Depth() {
			t.ByDepth = append(t.ByDepth, 0)
		}
		t.ByDepth[e.Depth()]++
	}
	return t
}
