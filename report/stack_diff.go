package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// StackDiff shows what differs between two builds: of frames and of paths the top largest changes, all for 0.
func StackDiff(d stackcheck.Diff, top int) Listing {
	frames := Table{Title: "frames", Columns: []string{"change", "old", "new", "what", "function", "position"}}
	for _, c := range d.Frames {
		f := c.Frame()
		frames.Rows = append(frames.Rows, []any{change(c.DeltaBytes), size(c.Old), size(c.New), whatBecame(c), f.Function, framePosition(f)})
	}
	paths := Table{Title: "deepest paths", Columns: []string{"change", "old", "new", "what", "from", "position"}}
	for _, c := range d.Paths {
		old, fresh := any(c.OldBytes), any(c.NewBytes)
		switch c.Kind {
		case stackcheck.New:
			old = ""
		case stackcheck.Gone:
			fresh = ""
		}
		paths.Rows = append(paths.Rows, []any{change(c.DeltaBytes), old, fresh, string(c.Kind), c.Function.Function, framePosition(c.Function)})
	}
	l := Listing{Summary: diffSummary(d), JSON: d}
	for _, t := range []Table{frames, paths} {
		if len(t.Rows) > 0 {
			l.Tables = append(l.Tables, t.cut(top))
		}
	}
	return l
}

// cut leaves the first rows of a table, and sums up in one more what the others change.
func (t Table) cut(top int) Table {
	if top <= 0 || len(t.Rows) <= top {
		return t
	}
	sum := change(0)
	for _, row := range t.Rows[top:] {
		sum += row[0].(change)
	}
	others := []any{sum, "", "", "", fmt.Sprintf("[%s]", count(len(t.Rows)-top, "other")), ""}
	t.Rows = append(slices.Clone(t.Rows[:top]), others)
	return t
}

func size(f *frame.Frame) any {
	if f == nil {
		return ""
	}
	return f.Bytes
}

func whatBecame(c stackcheck.Change) string {
	switch {
	case len(c.Into) > 0:
		return string(c.Kind) + " into " + functionNames(c.Into)
	case len(c.From) > 0:
		return string(c.Kind) + ", was part of " + functionNames(c.From)
	case c.Kind == stackcheck.KindChanged:
		return fmt.Sprintf("%s, was %s", c.New.Kind, c.Old.Kind)
	}
	return string(c.Kind)
}

func functionNames(frames []frame.Frame) string {
	const few = 3
	var names []string
	for _, f := range frames[:min(few, len(frames))] {
		names = append(names, f.Function)
	}
	if n := len(frames) - few; n > 0 {
		names = append(names, count(n, "other"))
	}
	return strings.Join(names, ", ")
}

// diffSummary counts what changed in how, and compares the sums.
func diffSummary(d stackcheck.Diff) string {
	counts := make(map[stackcheck.ChangeKind]int)
	for _, c := range d.Frames {
		counts[c.Kind]++
	}
	var changed []string
	for _, kind := range []stackcheck.ChangeKind{stackcheck.Grown, stackcheck.Shrunk, stackcheck.KindChanged, stackcheck.New, stackcheck.InlinedAway, stackcheck.Gone} {
		if n := counts[kind]; n > 0 {
			changed = append(changed, fmt.Sprintf("%s %s", grouped(n), kind))
		}
	}
	text := fmt.Sprintf("%s, before %s: %s, %s the same; all frames together %s, before %s",
		count(d.New.Frames, "frame"), grouped(d.Old.Frames), cmp.Or(strings.Join(changed, ", "), "none changed"), grouped(d.Same),
		bytes(d.New.Bytes), bytes(d.Old.Bytes))
	if d.Old.Worst != nil && d.New.Worst != nil {
		text += fmt.Sprintf("; the deepest path %s, before %s", boundOf(*d.New.Worst), boundOf(*d.Old.Worst))
	}
	return text
}

func boundOf(p callgraph.Path) string { return bound(p.Bytes, !p.Verdict.Exact()) }
