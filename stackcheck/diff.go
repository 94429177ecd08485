package stackcheck

import (
	"cmp"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// A ChangeKind says what became of a function's frame, or of the deepest path from a function. The values are stable.
type ChangeKind string

const (
	Grown       ChangeKind = "grown"
	Shrunk      ChangeKind = "shrunk"
	KindChanged ChangeKind = "kind-changed" // the same size, but static before and dynamic now, or the like
	New         ChangeKind = "new"
	Gone        ChangeKind = "gone"
	InlinedAway ChangeKind = "inlined" // gone, and part of other functions now
)

// A Change is a function whose frame is not what it was.
type Change struct {
	Kind       ChangeKind    `json:"kind"`
	DeltaBytes int           `json:"delta_bytes"`
	Old        *frame.Frame  `json:"old,omitempty"`
	New        *frame.Frame  `json:"new,omitempty"`
	Into       []frame.Frame `json:"inlined_into,omitempty"` // of the new build, that do now what the function did
	From       []frame.Frame `json:"split_from,omitempty"`   // of the old build, that did before what the new function does
}

// A PathChange is a function that nothing calls by name, and from which the stack gets deeper, or less deep, than before.
type PathChange struct {
	Kind       ChangeKind  `json:"kind"`
	DeltaBytes int         `json:"delta_bytes"`
	Function   frame.Frame `json:"function"` // of the new build, unless it is gone
	OldBytes   int         `json:"old_bytes,omitempty"`
	NewBytes   int         `json:"new_bytes,omitempty"`
}

// Totals sum up one of the builds. Of frames, they count those that were compared, see Diff.
type Totals struct {
	Built  Built           `json:"built"`
	Frames int             `json:"frames"`
	Bytes  int             `json:"bytes"`           // sum of all frames
	Worst  *callgraph.Path `json:"worst,omitempty"` // deepest path; nil without call graph
}

// A Diff is what differs between two builds. Frames that different sources tell of are compared by the best source that
// both builds have of them; when they have none in common, Mixed counts them.
type Diff struct {
	Old    Totals       `json:"old"`
	New    Totals       `json:"new"`
	Same   int          `json:"same"` // frames of the same size and kind
	Mixed  int          `json:"mixed,omitempty"`
	Frames []Change     `json:"frames"` // the largest change first
	Paths  []PathChange `json:"paths"`  // the largest change first; none unless both builds have a call graph
}

// Compare returns what differs between two builds. A function that was moved, within its file or to another, and clones that
// the compiler calls otherwise are the same function.
//
// A function that is gone counts as inlined into those that called it and that now call what it called, at more places
// than before. Where it called nothing, into those callers whose frame has grown.
func Compare(before, after Build) Diff {
	d := Diff{Old: Totals{Built: before.Built}, New: Totals{Built: after.Built}, Frames: []Change{}, Paths: []PathChange{}}
	all := pairs(before.Functions, after.Functions)
	for _, p := range all {
		change := d.add(p)
		if change.Kind != "" {
			d.Frames = append(d.Frames, change)
		}
	}
	if before.Graph != nil {
		d.Old.Worst = new(before.Graph.Worst())
	}
	if after.Graph != nil {
		d.New.Worst = new(after.Graph.Worst())
	}
	if before.Graph != nil && after.Graph != nil {
		forth, back := partners(before, after, all)
		for i := range d.Frames {
			d.Frames[i].explain(forth, back)
		}
		d.Paths = pathChanges(forth, back)
	}
	slices.SortStableFunc(d.Frames, compareChanges)
	return d
}

// add counts a pair, and returns the change that it is, without a kind if it is none.
func (d *Diff) add(p pair) Change {
	switch {
	case p.Old == nil:
		f := p.New.Frames[0]
		d.New.count(f)
		return Change{Kind: New, DeltaBytes: f.Bytes, New: &f}
	case p.New == nil:
		f := p.Old.Frames[0]
		d.Old.count(f)
		return Change{Kind: Gone, DeltaBytes: -f.Bytes, Old: &f}
	}
	before, after, ok := p.comparable()
	if !ok {
		d.Mixed++
	}
	d.Old.count(before)
	d.New.count(after)
	c := Change{DeltaBytes: after.Bytes - before.Bytes, Old: &before, New: &after}
	switch {
	case c.DeltaBytes > 0:
		c.Kind = Grown
	case c.DeltaBytes < 0:
		c.Kind = Shrunk
	case before.Kind != after.Kind && ok:
		c.Kind = KindChanged
	default:
		d.Same++
	}
	return c
}

func (t *Totals) count(f frame.Frame) {
	t.Frames++
	t.Bytes += f.Bytes
}

// compareChanges orders by size of the change, and otherwise by the frames.
func compareChanges(a, b Change) int {
	return cmp.Or(cmp.Compare(abs(b.DeltaBytes), abs(a.DeltaBytes)), frame.Compare(a.Frame(), b.Frame()))
}

// Frame returns that of the new build, or that of the old one if the function is gone.
func (c Change) Frame() frame.Frame {
	if c.New != nil {
		return *c.New
	}
	return *c.Old
}

func abs(n int) int { return max(n, -n) }
