package report

import (
	"fmt"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// Frames shows frames, some of a build that has total.
func Frames(frames []frame.Frame, total int) Listing {
	t := Table{Columns: []string{"bytes", "kind", "function", "position"}}
	for _, f := range frames {
		t.Rows = append(t.Rows, []any{f.Bytes, string(f.Kind), f.Function, position(f.File, f.Line, f.Column)})
	}
	return Listing{
		Tables:  []Table{t},
		Summary: fmt.Sprintf("%s of %s", grouped(len(frames)), count(total, "frame")),
		JSON: struct {
			Frames []frame.Frame `json:"frames"`
		}{append([]frame.Frame{}, frames...)},
	}
}

// StackFindings shows what was found in a build of so many frames.
func StackFindings(findings []stackcheck.Finding, frames int, limits stackcheck.Limits) Listing {
	l := Listing{
		Summary: fmt.Sprintf("%s checked against %s and %s: %s", count(frames, "frame"),
			bytes(limits.FrameBytes), count(len(limits.Waivers), "waiver"), count(len(findings), "finding")),
		JSON: struct {
			Frames     int                  `json:"frames"` // that were checked
			LimitBytes int                  `json:"limit_bytes"`
			Findings   []stackcheck.Finding `json:"findings"`
		}{frames, limits.FrameBytes, append([]stackcheck.Finding{}, findings...)},
	}
	t := Table{Columns: []string{"finding", "position", "what", "remedy"}}
	for _, f := range findings {
		a := Annotation{Title: string(f.Kind), Message: f.Message + "; " + f.Remedy}
		if f.Frame != nil {
			a.File, a.Line, a.Column = f.Frame.File, f.Frame.Line, f.Frame.Column
		}
		l.Annotations = append(l.Annotations, a)
		t.Rows = append(t.Rows, []any{string(f.Kind), position(a.File, a.Line, a.Column), f.Message, f.Remedy})
	}
	l.Tables = []Table{t}
	return l
}

// PathJSON is a path as JSON: with the verdict's counts, and what they come to.
type PathJSON struct {
	callgraph.Path
	LowerBound bool `json:"lower_bound"` // the stack can get deeper, because of what the verdict counts
}

// Paths shows paths, a table each, as far down as they go.
func Paths(paths []callgraph.Path) Listing {
	var l Listing
	shown := []PathJSON{}
	for _, p := range paths {
		shown = append(shown, PathJSON{p, !p.Verdict.Exact()})
		l.Tables = append(l.Tables, path(p))
	}
	l.JSON = struct {
		Paths []PathJSON `json:"paths"`
	}{shown}
	return l
}

func path(p callgraph.Path) Table {
	t := Table{
		Title:   fmt.Sprintf("%s %s (%s)", bytes(p.Bytes), ends(p), p.Verdict),
		Columns: []string{"bytes", "sum", "function", "called at"},
	}
	sum := 0
	for _, s := range p.Steps {
		sum += s.Bytes
		function := s.Frame.Function
		if n := len(s.Cycle); n > 0 {
			function += fmt.Sprintf(" (a cycle of %s, charged one turn)", count(n, "function"))
		}
		t.Rows = append(t.Rows, []any{s.Bytes, sum, function, position(s.Site.File, s.Site.Line, s.Site.Column)})
	}
	return t
}

func ends(p callgraph.Path) string {
	first, last := p.Steps[0].Frame.Function, p.Steps[len(p.Steps)-1].Frame.Function
	if len(p.Steps) == 1 {
		return "in " + first
	}
	return fmt.Sprintf("from %s to %s", first, last)
}
