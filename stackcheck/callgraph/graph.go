package callgraph

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// A Node is a function. Of an external one only Function and Symbol are known.
type Node struct {
	frame.Frame
	Defined  bool
	Sized    bool       // Bytes and Kind are known
	Calls    []Call     // one for each callee, in the order of Graph.Nodes
	Callers  []*Node    // in the order of Graph.Nodes
	Indirect []Position // sites of calls through pointers, in the order of the .ci file

	index int // in Graph.Nodes
}

// A Call is an edge of the graph.
type Call struct {
	Callee    *Node
	Site      Position // the first in the .ci file that has a position
	Sites     int      // how many call sites, from 1
	Ambiguous bool     // several units define the symbol; Callee is the definition with the largest frame
}

// A Graph is a program's functions and calls. It does not change; all methods may be called concurrently.
type Graph struct {
	Nodes []*Node // by symbol, then object

	components [][]*Node // callees before callers
	depths     []depths  // of each component
	component  []int     // of each node
}

// newGraph analyses nodes that have Calls, and fills in what follows from them.
func newGraph(nodes []*Node) *Graph {
	slices.SortStableFunc(nodes, func(a, b *Node) int {
		return cmp.Or(strings.Compare(a.Symbol, b.Symbol), strings.Compare(a.Object, b.Object))
	})
	for i, n := range nodes {
		n.index = i
	}
	for _, n := range nodes {
		slices.SortFunc(n.Calls, func(a, b Call) int { return cmp.Compare(a.Callee.index, b.Callee.index) })
		for _, call := range n.Calls {
			call.Callee.Callers = append(call.Callee.Callers, n)
		}
	}
	g := &Graph{Nodes: nodes}
	g.components = components(nodes)
	g.component = make([]int, len(nodes))
	for c, members := range g.components {
		for _, n := range members {
			g.component[n.index] = c
		}
	}
	g.measure()
	return g
}

// Find returns the nodes of a function: those whose printable name, symbol, or printable base name it is.
func (g *Graph) Find(function string) []*Node {
	var found []*Node
	for _, n := range g.Nodes {
		if n.Function == function || n.Symbol == function || frame.BaseName(n.Function) == function {
			found = append(found, n)
		}
	}
	return found
}

// Entries returns the defined functions that nothing else calls by name, which are entry points and targets of pointers;
// of a cycle that nothing else calls, the first member. They are in the order of Nodes.
func (g *Graph) Entries() []*Node {
	var entries []*Node
	for c, members := range g.components {
		if members[0].Defined && !g.calledFromOutside(c) {
			entries = append(entries, members[0])
		}
	}
	slices.SortFunc(entries, func(a, b *Node) int { return cmp.Compare(a.index, b.index) })
	return entries
}

func (g *Graph) calledFromOutside(component int) bool {
	return slices.ContainsFunc(g.components[component], func(n *Node) bool {
		return slices.ContainsFunc(n.Callers, func(caller *Node) bool { return g.component[caller.index] != component })
	})
}

// Cycles returns the components that recurse, those with most members first; members are in the order of Graph.Nodes.
func (g *Graph) Cycles() [][]*Node {
	var cycles [][]*Node
	for _, members := range g.components {
		if recurses(members) {
			cycles = append(cycles, members)
		}
	}
	slices.SortFunc(cycles, func(a, b []*Node) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a[0].index, b[0].index))
	})
	return cycles
}

func recurses(component []*Node) bool {
	if len(component) > 1 {
		return true
	}
	n := component[0]
	return slices.ContainsFunc(n.Calls, func(call Call) bool { return call.Callee == n })
}
