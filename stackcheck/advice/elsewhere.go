package advice

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

// Elsewhere is code of a function that does not stand in its lines: it was inlined, or is of a macro of a header. A .ci file tells it by the
// positions of calls; of a function that was inlined and calls nothing it tells nothing.
type Elsewhere struct {
	File      string `json:"file"`
	FirstLine int    `json:"first_line"`
	LastLine  int    `json:"last_line"`
	Calls     int    `json:"calls"`

	// After is the last function of the build that begins before these lines: the one that was inlined, or one that stands before
	// it and has code of its own. Empty if there is none.
	After string `json:"after,omitempty"`
}

// elsewhere returns the places of a function's calls that do not stand in its lines: from where its name stands to the next function
// of the file that has code.
func elsewhere(b stackcheck.Build, n *callgraph.Node) []Elsewhere {
	starts := startsOf(b)
	type group struct{ file, after string }
	found := make(map[group]*Elsewhere)
	for _, site := range sitesOf(b, n) {
		after := startBefore(starts[site.File], site.Line)
		if site.File == n.File && after.line == n.Line {
			continue
		}
		key := group{site.File, after.function}
		at := found[key]
		if at == nil {
			at = &Elsewhere{File: site.File, After: after.function, FirstLine: site.Line}
			found[key] = at
		}
		at.Calls++
		at.FirstLine, at.LastLine = min(at.FirstLine, site.Line), max(at.LastLine, site.Line)
	}
	var all []Elsewhere
	for _, at := range found {
		all = append(all, *at)
	}
	slices.SortFunc(all, func(x, y Elsewhere) int {
		return cmp.Or(cmp.Compare(y.Calls, x.Calls), strings.Compare(x.File, y.File), cmp.Compare(x.FirstLine, y.FirstLine))
	})
	return all
}

// sitesOf returns the positions of a function's calls.
func sitesOf(b stackcheck.Build, n *callgraph.Node) []callgraph.Position {
	var sites []callgraph.Position
	for _, u := range b.Units {
		if u.Object != n.Object || u.Source == "" {
			continue
		}
		for _, site := range u.CallSites {
			if site.Position.Line > 0 && strings.TrimPrefix(strings.TrimPrefix(site.Caller, u.Source+":"), "*") == n.Symbol {
				sites = append(sites, site.Position)
			}
		}
	}
	return sites
}

// A start is where a function begins.
type start struct {
	line     int
	function string
}

func startsOf(b stackcheck.Build) map[string][]start {
	starts := make(map[string][]start)
	for _, fn := range b.Functions {
		if f := &fn.Frames[0]; f.Line > 0 {
			starts[f.File] = append(starts[f.File], start{f.Line, f.Function})
		}
	}
	for _, all := range starts {
		slices.SortFunc(all, func(a, b start) int {
			return cmp.Or(cmp.Compare(a.line, b.line), strings.Compare(a.function, b.function))
		})
	}
	return starts
}

// startBefore returns the last function that begins at or before a line.
func startBefore(starts []start, line int) start {
	i, _ := slices.BinarySearchFunc(starts, line+1, func(s start, line int) int { return cmp.Compare(s.line, line) })
	if i == 0 {
		return start{}
	}
	return starts[i-1]
}
