package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

// deepest returns the paths that were asked for, the deepest first: through or from each function of a name, or
// from each entry of the graph.
func deepest(g *callgraph.Graph, f StackFlags) ([]callgraph.Path, error) {
	var from []*callgraph.Node
	worst := g.WorstFrom
	switch {
	case f.Through != "":
		from, worst = g.Find(f.Through), g.WorstThrough
	case f.From != "":
		from = g.Find(f.From)
	default:
		from = deepestEntries(g, f.Top)
	}
	if len(from) == 0 {
		return nil, unknownFunction(g, cmp.Or(f.Through, f.From))
	}
	var paths []callgraph.Path
	for _, n := range from {
		paths = append(paths, worst(n))
	}
	slices.SortStableFunc(paths, func(a, b callgraph.Path) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return first(f.Top, paths), nil
}

// deepestEntries returns the entries from which the stack gets deepest: what a path leaves out takes as long to find
// as there are functions on the way, and is looked for only in paths that are shown.
func deepestEntries(g *callgraph.Graph, top int) []*callgraph.Node {
	entries := g.Entries()
	slices.SortStableFunc(entries, func(a, b *callgraph.Node) int { return cmp.Compare(g.DepthFrom(b), g.DepthFrom(a)) })
	return first(top, entries)
}

// unknownFunction names those that the user may have meant.
func unknownFunction(g *callgraph.Graph, name string) error {
	if name == "" {
		return errors.New("looking for paths: the call graph has no function; build with -fcallgraph-info=su,da")
	}
	const most = 3
	if near := first(most, similar(g, name)); len(near) > 0 {
		return fmt.Errorf("looking for paths: no function is called %q; did you mean %s?", name, strings.Join(near, ", "))
	}
	return fmt.Errorf("looking for paths: no function is called %q, nor alike; stack frames lists all", name)
}

// similar returns the names of functions that contain name, or are a few typing errors away from it; the nearest first.
func similar(g *callgraph.Graph, name string) []string {
	type candidate struct {
		name  string
		edits int
	}
	var near []candidate
	for _, n := range g.Nodes {
		edits := editDistance(name, n.Function)
		if edits <= 1+len(name)/4 || strings.Contains(n.Function, name) {
			near = append(near, candidate{n.Function, edits})
		}
	}
	slices.SortFunc(near, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.edits, b.edits), strings.Compare(a.name, b.name))
	})
	var names []string
	for _, c := range near {
		names = append(names, c.name)
	}
	return slices.Compact(names)
}

// editDistance is Levenshtein's: how many bytes have to be inserted, removed or replaced to make b of a. Names of a
// length that is too different are not compared byte by byte: a hostile one may be long.
func editDistance(a, b string) int {
	if difference := max(len(a)-len(b), len(b)-len(a)); difference > len(a) {
		return difference
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
