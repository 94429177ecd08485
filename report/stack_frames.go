package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// Frames shows the frames of functions, some of a build that has total: the best of each, or all sources side by side.
func Frames(functions []stackcheck.Function, total int, sideBySide bool) Listing {
	sources := []frame.Source{""}
	heads := []string{"bytes"}
	if sideBySide {
		sources, heads = told(functions)
	}
	t := Table{Columns: append(heads, "kind", "function", "position"), Bars: true}
	frames := []frame.Frame{}
	for _, fn := range functions {
		best := fn.Frames[0]
		var row []any
		for _, source := range sources {
			row = append(row, sizeFrom(fn, source))
		}
		t.Rows = append(t.Rows, append(row, string(best.Kind), best.Function, framePosition(best)))
		if sideBySide {
			frames = append(frames, fn.Frames...)
		} else {
			frames = append(frames, best)
		}
	}
	return Listing{
		Tables:  []Table{t},
		Summary: fmt.Sprintf("%s of %s", grouped(len(functions)), count(total, "frame")),
		JSON: struct {
			Frames []frame.Frame `json:"frames"`
		}{frames},
	}
}

// told returns the sources that tell of any of the functions, and their names.
func told(functions []stackcheck.Function) (sources []frame.Source, names []string) {
	for _, source := range stackcheck.Sources {
		if slices.ContainsFunc(functions, func(fn stackcheck.Function) bool { return fn.From(source) != nil }) {
			sources, names = append(sources, source), append(names, string(source))
		}
	}
	return sources, names
}

// sizeFrom returns what a source, or the best one for none, tells of a function's size.
func sizeFrom(fn stackcheck.Function, source frame.Source) any {
	if source == "" {
		return fn.Frames[0].Bytes
	}
	if f := fn.From(source); f != nil {
		return f.Bytes
	}
	return ""
}

// framePosition is where the function stands in the source, or the object that it is in, if that is all that is known.
func framePosition(f frame.Frame) string {
	return cmp.Or(position(f.File, f.Line, f.Column), f.Object)
}

// Snapshot tells of a snapshot that was written.
func Snapshot(file string, b stackcheck.Build) Listing {
	calls := "no call graph"
	if b.Graph != nil {
		calls = fmt.Sprintf("a call graph of %s", count(len(b.Graph.Nodes), "function"))
	}
	text := fmt.Sprintf("%s: %s and %s", file, count(len(b.Functions), "frame"), calls)
	if built := b.Built.String(); built != "" {
		text += " of " + built
	}
	return Listing{Summary: text}
}
