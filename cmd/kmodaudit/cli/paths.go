package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/report"
	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

// StackPaths prints the deepest paths of builds, or those that a function is on, or the functions at which paths begin.
func StackPaths(out Output, f StackFlags) error {
	config, err := readConfig(f.Config)
	if err != nil {
		return cannot(err)
	}
	limits := config.StackLimits()
	beside := besideOf(f.Beside, limits.Beside)
	expectHeap(needOfCalls, f.Paths, beside.Kernel)
	build, readErr := stackcheck.Read(f.Paths...)
	if build.Graph == nil {
		return cannot(errors.Join(readErr, errNoGraph(f.Paths)))
	}
	build, besideErr := build.With(beside)
	readErr = errors.Join(readErr, besideErr)
	out.tellPaths(build)
	if f.EntryPoints {
		if err := out.write(report.EntryPoints(entryPoints(build.Graph, limits.Entries), f.Top), f.Format); err != nil {
			return err
		}
		return failed(readErr)
	}
	paths, err := deepest(build.Graph, f)
	if err != nil {
		return cannot(errors.Join(readErr, err))
	}
	if f.SVG != "" {
		if err := DrawPaths(f.SVG, build.Built, paths); err != nil {
			return cannot(errors.Join(readErr, err))
		}
	}
	if err := out.write(report.Paths(paths), f.Format); err != nil {
		return err
	}
	return failed(readErr)
}

// besideOf returns what flags say, and what the configuration says where they say nothing.
func besideOf(flags, config stackcheck.Beside) stackcheck.Beside {
	b := config
	b.Kernel = append(slices.Clone(config.Kernel), flags.Kernel...)
	b.ExternalBytes = cmp.Or(flags.ExternalBytes, config.ExternalBytes)
	b.Indirect = cmp.Or(flags.Indirect, config.Indirect)
	return b
}

// tellPaths says what the paths do not show.
func (o Output) tellPaths(build stackcheck.Build) {
	if n := len(build.WithoutGraph); n > 0 {
		o.warn(fmt.Sprintf("objects without a .ci file, whose calls are on no path: %d", n))
	}
	stale := map[string][]string{
		"functions that do not return, which the build does not call":      build.Graph.Stale.NoReturn,
		"figures of functions that the build does not call, or has":        build.Graph.Stale.External,
		"cycles of functions that do not recurse, or are not in the build": build.Graph.Stale.Turns,
	}
	for _, what := range slices.Sorted(maps.Keys(stale)) {
		if len(stale[what]) > 0 {
			o.warn(fmt.Sprintf("the configuration has %s: %s", what, strings.Join(stale[what], ", ")))
		}
	}
}

// entryPoints returns where paths begin, with those that are configured, the deepest of each group first.
func entryPoints(g *callgraph.Graph, configured []stackcheck.Entry) []report.EntryPoint {
	all := g.EntryPoints()
	known := make(map[*callgraph.Node]int)
	for i, e := range all {
		known[e.Node] = i
	}
	for _, n := range g.Nodes {
		if !n.Defined || !slices.ContainsFunc(configured, func(e stackcheck.Entry) bool { return e.Matches(n.Frame) }) {
			continue
		}
		i, ok := known[n]
		if !ok {
			i = len(all)
			all = append(all, callgraph.EntryPoint{Node: n})
		}
		all[i].Group, all[i].Reason = callgraph.Named, "by the configuration"
	}
	nodes := make([]*callgraph.Node, len(all))
	for i := range all {
		nodes[i] = all[i].Node
	}
	shown := make([]report.EntryPoint, len(all))
	for i, v := range g.Verdicts(nodes) {
		e := all[i]
		shown[i] = report.EntryPoint{
			Frame: e.Node.Frame, Group: e.Group, Reason: e.Reason, Verdict: v,
			Bytes: g.DepthFrom(e.Node), NoReturnBytes: g.NoReturnDepthFrom(e.Node), LowerBound: !v.Exact(),
		}
	}
	return shown
}

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
