package headerinstall

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"path"
	"slices"
	"strings"
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
}

// Depth is the number of directories between the destination directory and the header.
func (f File) Depth() int { return strings.Count(f.Destination, "/") }

// A Plan says what an installation will do.
type Plan struct {
	Config   Config     // defaults filled in
	Excluded []Excluded // sorted by source
	Findings []Finding  // headers that were forgotten, then rules that match nothing
	Warnings []string   // what is suspicious, yet no reason to stop

	headers    table
	outlived   table  // no source leads to them any more, whether they are still there or not
	last       record // what there was when the plan was made
	isRecorded bool   // the last manifest has the very text that the plan's would have
}

// Entries yields what there is in the plan, sorted by destination, one entry for each.
func (p Plan) Entries() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for e := range p.all() {
			if !yield(e) {
				return
			}
		}
	}
}

// all yields the entries, and the headers of those that have one.
func (p *Plan) all() iter.Seq2[Entry, *header] {
	return func(yield func(Entry, *header) bool) {
		next, stop := iter.Pull(p.outlived.headers(isDecided))
		defer stop()
		outlived, more := next()
		for h := range p.headers.headers(anyRow) {
			for ; more && compareJoined(h.dir.to, h.name, outlived.dir.to, outlived.name) > 0; outlived, more = next() {
				if !yield(outlived.entry(), nil) {
					return
				}
			}
			if !yield(h.entry(), &h) {
				return
			}
		}
		for ; more; outlived, more = next() {
			if !yield(outlived.entry(), nil) {
				return
			}
		}
	}
}

func isDecided(r *row) bool { return r.action != undecided }

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
	last, err := openRecord(c.Manifest)
	if err != nil {
		return Plan{}, err
	}
	p, err := makePlanAfter(ctx, c, dest, want, last)
	if err == errNotEncoded {
		var r record
		if r, err = readRecord(c.Manifest); err == nil {
			p, err = makePlanAfter(ctx, c, dest, want, &recordReader{record: r})
		}
	}
	return p, err
}

// makePlanAfter makes a plan that comes after what the record tells, which it closes.
func makePlanAfter(ctx context.Context, c Config, dest dir, want digests, last *recordReader) (Plan, error) {
	defer last.close()
	p := Plan{Config: c}
	p.last = last.record
	found, err := find(ctx, &p.Config, dest)
	if err != nil {
		return Plan{}, err
	}
	found.extras()
	p.headers = found.table
	p.headers.sort()
	s := survey{config: &p.Config, dest: dest, want: want, recorded: p.last.manifest.since(), problems: found.problems}
	s.merge(&p.headers)
	s.problems = append(s.problems, p.headers.filesAsDirs()...)
	if err := s.decideAll(ctx, &p, last); err != nil {
		return Plan{}, err
	}
	if len(s.problems) > 0 {
		slices.SortStableFunc(s.problems, func(a, b *Problem) int { return cmp.Compare(a.Path, b.Path) })
		return Plan{}, problemList(s.problems)
	}
	p.Excluded = found.excluded
	slices.SortFunc(p.Excluded, func(a, b Excluded) int { return cmp.Compare(a.Source, b.Source) })
	slices.SortFunc(found.findings, func(a, b Finding) int { return cmp.Compare(a.Subject, b.Subject) })
	p.Findings = append(found.findings, found.rules.unused()...)
	p.Warnings = slices.Concat(found.warnings, p.headers.caseWarning(), keptWarnings(&p.outlived))
	return p, nil
}

// extras adds the extra files to the table.
func (f *finder) extras() {
	for _, extra := range f.config.Extra {
		if why := unsafeName(extra.Source); why != "" {
			f.problems = append(f.problems, &Problem{Reason: UnsafeName, Path: extra.Source, Detail: why})
			continue
		}
		above, source := path.Split(extra.Source)
		to, name := path.Split(extra.To)
		tree := newSourceTree(above, f.config.onDisk(above))
		v := visit{headerDir: headerDir{tree: tree, from: tree.prefix, to: to, names: name, source: source}, index: int32(len(f.table.dirs))}
		f.table.dirs = append(f.table.dirs, v.headerDir)
		f.add(&v, listedFile{end: len(name)}, true)
	}
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

// filesAsDirs finds the headers that others need as a directory.
func (t *table) filesAsDirs() (problems []*Problem) {
	_ = t.eachDir(anyRow, func(dir string, first int) error {
		if i, ok := t.find("", dir); ok {
			file, below := t.header(i), t.header(first)
			problems = append(problems, &Problem{Reason: FileVersusDir, Path: dir,
				Detail:  fmt.Sprintf("would be a file, and the directory of %q", below.destination()),
				Sources: []string{file.written(), below.written()}})
		}
		return nil
	})
	return problems
}

// caseWarning reports headers that a file system that ignores case cannot hold at once.
func (t *table) caseWarning() []string {
	lowerTo := make([]string, len(t.dirs))
	for i := range t.dirs {
		lowerTo[i] = strings.ToLower(t.dirs[i].to)
	}
	var lower []byte
	fold := func(h *header) string { // good until the next
		lower = append(append(lower[:0], lowerTo[h.row.dir]...), strings.ToLower(h.name)...)
		return asString(lower)
	}
	folded, among := map[string]int{}, map[string]bool{} // rows that have an upper-case letter: of two that collide, one has; and where they are
	for h := range t.headers(anyRow) {
		if !isLower(h.name) || lowerTo[h.row.dir] != h.dir.to {
			folded[strings.Clone(fold(&h))], among[lowerTo[h.row.dir]] = int(h.index), true
		}
	}
	if len(folded) == 0 {
		return nil
	}
	pairs, one, other := 0, "", ""
	last, isAmong := int32(-1), false
	for h := range t.headers(anyRow) {
		if h.row.dir != last {
			last, isAmong = h.row.dir, among[lowerTo[h.row.dir]]
		}
		if !isAmong {
			continue
		}
		i, ok := folded[fold(&h)]
		if !ok || i == int(h.index) {
			continue
		}
		if pairs++; pairs == 1 {
			collides := t.header(i)
			one, other = collides.destination(), h.destination()
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

func keptWarnings(outlived *table) (warnings []string) {
	for h := range outlived.headers(func(r *row) bool { return r.action == rowKept }) {
		warnings = append(warnings, fmt.Sprintf("%q is stale, but was changed after it was installed; "+
			"it is left there, and is no longer tracked", h.destination()))
	}
	return warnings
}

// Manifest is what the plan's installation will have written.
func (p Plan) Manifest() Manifest {
	m := Manifest{Format: Format, Strip: p.Config.strip(), Files: make([]File, 0, len(p.headers.rows))}
	for h := range p.headers.headers(anyRow) {
		m.Files = append(m.Files, h.entry().File)
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
	t := Totals{Headers: len(p.headers.rows), ByAction: map[Action]int{}}
	var actions [len(rowActions)]int
	for h := range p.headers.headers(anyRow) {
		actions[h.action]++
		t.Bytes += *h.size()
		depth := strings.Count(h.dir.to, "/")
		for len(t.ByDepth) <= depth {
			t.ByDepth = append(t.ByDepth, 0)
		}
		t.ByDepth[depth]++
	}
	for h := range p.outlived.headers(isDecided) {
		actions[h.action]++
	}
	for action, n := range actions {
		if n > 0 {
			t.ByAction[rowActions[action]] = n
		}
	}
	return t
}
