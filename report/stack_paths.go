package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

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
		Title:   fmt.Sprintf("%s %s (%s)%s", bytes(p.Bytes), ends(p), p.Verdict, withEnd(p)),
		Columns: []string{"bytes", "sum", "function", "called at"},
	}
	sum := 0
	for _, s := range p.Steps {
		sum += s.Bytes
		t.Rows = append(t.Rows, []any{s.Bytes, sum, stepName(s), site(s)})
	}
	return t
}

// withEnd tells of the path that does not return, if it is deeper.
func withEnd(p callgraph.Path) string {
	if p.NoReturn == nil {
		return ""
	}
	steps := p.NoReturn.Steps
	i := slices.IndexFunc(steps, func(s callgraph.Step) bool { return s.NoReturn })
	if i < 0 { // in a cycle
		return fmt.Sprintf("; %s if functions that do not return are followed", bytes(p.NoReturn.Bytes))
	}
	return fmt.Sprintf("; %s by way of %s, which does not return", bytes(p.NoReturn.Bytes), steps[i].Frame.Function)
}

// site tells where a step is called, and how, if it is not by an ordinary call.
func site(s callgraph.Step) string {
	how := ""
	switch {
	case s.Pointer:
		how = "through a pointer"
	case s.Tail:
		how = "by a jump"
	}
	return strings.TrimSpace(position(s.Site.File, s.Site.Line, s.Site.Column) + " " + how)
}

func stepName(s callgraph.Step) string {
	if n := len(s.Cycle); n > 0 && s.Turns > 0 {
		return fmt.Sprintf("%s (a cycle of %s, charged %s)", s.Frame.Function, count(n, "function"), count(s.Turns, "given turn"))
	}
	if n := len(s.Cycle); n > 0 && s.Chain {
		return fmt.Sprintf("%s (a cycle of %s, charged a chain)", s.Frame.Function, count(n, "function"))
	}
	if n := len(s.Cycle); n > 0 {
		return fmt.Sprintf("%s (a cycle of %s, charged one turn)", s.Frame.Function, count(n, "function"))
	}
	return s.Frame.Function
}

func ends(p callgraph.Path) string {
	first, last := p.Steps[0].Frame.Function, p.Steps[len(p.Steps)-1].Frame.Function
	if len(p.Steps) == 1 {
		return "in " + first
	}
	return fmt.Sprintf("from %s to %s", first, last)
}
