package headerinstall

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
)

// Action says what an installation does with a file.
type Action string

// The actions. A file that is the same is left alone, save that a wrong mode is repaired.
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
	Config   Config   // defaults filled in
	Entries  []Entry  // sorted by destination, one for each
	Warnings []string // what is suspicious, yet no reason to stop
}

// NewPlan reads all sources, the destination and the last manifest, and writes nothing. If
// anything is wrong with the sources or the destination, the error holds all that is; Problems
// takes it apart.
func NewPlan(ctx context.Context, c Config) (Plan, error) {
	c, err := c.complete()
	if err != nil {
		return Plan{}, fmt.Errorf("planning headers: %w", err)
	}
	p, err := newPlan(ctx, c)
	if err != nil {
		return Plan{}, fmt.Errorf("planning headers for %s: %w", c.Dest, err)
	}
	return p, nil
}

func newPlan(ctx context.Context, c Config) (Plan, error) {
	last, err := readLast(c.Manifest)
	if err != nil {
		return Plan{}, err
	}
	found, err := find(ctx, c)
	if err != nil {
		return Plan{}, err
	}
	files, problems, err := readSources(ctx, c, found.sources)
	if err != nil {
		return Plan{}, err
	}
	problems = slices.Concat(found.problems, problems, filesAsDirs(files))

	entries, destProblems, err := compare(ctx, c, files, last)
	if err != nil {
		return Plan{}, err
	}
	problems = append(problems, destProblems...)
	if len(problems) > 0 {
		slices.SortStableFunc(problems, func(a, b *Problem) int { return cmp.Compare(a.Path, b.Path) })
		return Plan{}, problemList(problems)
	}
	warnings := slices.Concat(found.warnings, caseWarnings(entries), keptWarnings(entries))
	return Plan{Config: c, Entries: entries, Warnings: warnings}, nil
}

// readSources reads every source, and merges those with one destination and one content. The
// files are sorted by destination.
func readSources(ctx context.Context, c Config, sources []string) (files []File, problems []*Problem, err error) {
	byDest := map[string][]File{}
	for _, source := range sources {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		file, problem := readSource(c, source)
		if problem != nil {
			problems = append(problems, problem)
			continue
		}
		byDest[file.Destination] = append(byDest[file.Destination], file)
	}
	for _, same := range byDest {
		file, problem := merge(same)
		if problem != nil {
			problems = append(problems, problem)
		}
		files = append(files, file)
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Destination, b.Destination) })
	return files, problems, nil
}

func readSource(c Config, source string) (File, *Problem) {
	if why := unsafeName(source); why != "" {
		return File{}, &Problem{Reason: UnsafeName, Path: source, Detail: why}
	}
	dest, problem := destinationOf(source, c.strip())
	if problem != nil {
		return File{}, problem
	}
	digest, size, err := digestFile(os.OpenFile, c.onDisk(source))
	if err != nil {
		return File{}, unreadable(source, err)
	}
	return File{Destination: dest, Source: source, Size: size, Mode: FileMode, SHA256: digest}, nil
}

// merge makes one of the files that have one destination.
func merge(files []File) (File, *Problem) {
	merged, differ := files[0], false
	for _, f := range files[1:] {
		merged.Also = append(merged.Also, f.Source)
		differ = differ || f.SHA256 != merged.SHA256
	}
	if !differ {
		return merged, nil
	}
	return merged, &Problem{Reason: Collision, Path: merged.Destination, Detail: "has sources with different content",
		Sources: append([]string{merged.Source}, merged.Also...)}
}

// filesAsDirs finds the files that other files need as a directory.
func filesAsDirs(files []File) []*Problem {
	byDest := map[string]File{}
	for _, f := range files {
		byDest[f.Destination] = f
	}
	var problems []*Problem
	for _, f := range files {
		for dir := path.Dir(f.Destination); dir != "."; dir = path.Dir(dir) {
			if file, ok := byDest[dir]; ok {
				problems = append(problems, &Problem{Reason: FileVersusDir, Path: dir,
					Detail:  fmt.Sprintf("would be a file, and the directory of %q", f.Destination),
					Sources: []string{file.Source, f.Source}})
			}
		}
	}
	return problems
}

// compare decides what happens to each file, and to each that the last manifest lists.
func compare(ctx context.Context, c Config, files []File, last Manifest) (entries []Entry, problems []*Problem, err error) {
	dest, err := openDestination(c.Dest)
	if err != nil {
		return nil, nil, err
	}
	defer dest.Close()

	owned := map[string]File{}
	for _, f := range last.Files {
		owned[f.Destination] = f
	}
	for _, f := range files {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		_, ours := owned[f.Destination]
		delete(owned, f.Destination)
		action, problem := decide(dest, f, ours || c.Force)
		if problem != nil {
			problems = append(problems, problem)
		}
		entries = append(entries, Entry{File: f, Action: action})
	}
	for _, f := range owned {
		if ctx.Err() != nil {
			return nil, nil, context.Cause(ctx)
		}
		action, problem := decideStale(dest, f)
		if problem != nil {
			problems = append(problems, problem)
		}
		if action != "" {
			entries = append(entries, Entry{File: f, Action: action})
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Destination, b.Destination) })
	return entries, problems, nil
}

func decide(dest *destination, f File, mayReplace bool) (Action, *Problem) {
	now, err := dest.look(f.Destination, f.Size)
	switch {
	case errors.Is(err, errInTheWay):
		return "", &Problem{Reason: FileVersusDir, Path: f.Destination, Sources: []string{f.Source},
			Detail: fmt.Sprintf("cannot be installed: %v", err)}
	case err != nil:
		return "", unreadable(f.Destination, err)
	case now == nil:
		return New, nil
	case now.mode.IsDir():
		return "", &Problem{Reason: FileVersusDir, Path: f.Destination, Sources: []string{f.Source},
			Detail: "cannot be installed: a directory is there"}
	case now.holds(f):
		return Same, nil
	case mayReplace:
		return Changed, nil
	}
	return "", &Problem{Reason: Foreign, Path: f.Destination, Sources: []string{f.Source},
		Detail: fmt.Sprintf("exists as %s that differs, and no earlier installation put it there", kind(now.mode))}
}

// decideStale decides about a file that no source leads to any more; "" if it is gone.
func decideStale(dest *destination, f File) (Action, *Problem) {
	now, err := dest.look(f.Destination, f.Size)
	switch {
	case errors.Is(err, errInTheWay):
		return Kept, nil
	case err != nil:
		return "", unreadable(f.Destination, err)
	case now == nil:
		return "", nil
	case now.holds(f):
		return Stale, nil
	}
	return Kept, nil
}

// caseWarnings reports headers that a file system that ignores case cannot hold at once.
func caseWarnings(entries []Entry) (warnings []string) {
	first := map[string]string{}
	for _, e := range entries {
		if e.Action == Stale {
			continue
		}
		folded := strings.ToLower(e.Destination)
		if other, ok := first[folded]; ok {
			warnings = append(warnings, fmt.Sprintf("%q and %q differ only in case", other, e.Destination))
			continue
		}
		first[folded] = e.Destination
	}
	return warnings
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

// Manifest is what the plan's installation will have written.
func (p Plan) Manifest() Manifest {
	m := Manifest{Format: Format, Strip: p.Config.strip(), Files: []File{}}
	for _, e := range p.Entries {
		if e.Action != Stale && e.Action != Kept {
			m.Files = append(m.Files, e.File)
		}
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
		if e.Action == Stale || e.Action == Kept {
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
