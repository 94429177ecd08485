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
	Given    bool       // Bytes are given by the options, for the function and all that it calls
	Kernel   bool       // of a unit that has no entries
	NoReturn bool       // it does not return
	Partly   bool       // its code could not be read to the end
	Calls    []Call     // one for each callee, in the order of Graph.Nodes
	Callers  []*Node    // in the order of Graph.Nodes
	Indirect []Position // sites of calls through pointers, in the order of the .ci file; those that only code tells have no position
	Uses     []*Use     // what else leads to the function
	Aliases  []string   // its other symbols, maybe with it and twice

	chained      bool    // see isChained
	code         []*Code // of calls through pointers, as far as machine code tells
	prototype    string  // empty when it is not known
	matched, any int     // of Indirect, those of which the policy tells the callees
	index        int     // in Graph.Nodes
}

// A Call is an edge of the graph.
type Call struct {
	Callee    *Node
	Site      Position // the first in the .ci file that has a position
	Sites     int      // how many call sites, from 1; none when Pointer
	Bytes     int      // that the caller has of the stack when the callee begins: at the deepest of the sites, or its frame if nothing tells
	Tail      bool     // all sites are jumps: the caller is gone when the callee runs
	Ambiguous bool     // several units define the symbol; Callee is the definition with the largest frame
	Pointer   bool     // it stands for calls through pointers, by the policy

	code measure
}

// A measure is what machine code tells of an edge's sites.
type measure struct {
	sites    int
	tails    int
	measured int // sites whose depth is known
	depth    int // the largest
}

func (m *measure) add(c *Code) {
	m.sites++
	if c.Tail {
		m.tails++
	}
	if c.Measured {
		m.measured++
		m.depth = max(m.depth, c.Depth)
	}
}

// settle makes of what files tell of an edge one thing.
func (c *Call) settle(caller *Node) {
	m := c.code
	c.Sites = max(c.Sites, m.sites)
	c.Bytes = caller.Bytes
	if m.sites > 0 && m.measured == m.sites && caller.Kind != frame.Dynamic {
		c.Bytes = m.depth
	}
	c.Tail = m.sites > 0 && m.tails == m.sites
	if c.Tail && m.measured == m.sites {
		c.Bytes = m.depth
	}
}

// A Graph is a program's functions and calls. It does not change; all methods may be called concurrently.
type Graph struct {
	Nodes []*Node // by symbol, then object
	Stale Stale

	ends  *analysis // of all calls
	stays *analysis // without those of functions that do not return
	turns map[*Node]int

	policy Policy
}

// Stale are the options that are about no function, or no cycle, of the graph; sorted.
type Stale struct {
	NoReturn, External, Turns []string
}

// newGraph analyses nodes that have Calls, and fills in what follows from them.
func newGraph(nodes []*Node) *Graph { return newGraphWith(nodes, Options{}) }

func newGraphWith(nodes []*Node, o Options) *Graph {
	sortNodes(nodes)
	g := &Graph{Nodes: nodes, policy: o.Indirect}
	g.markNoReturn(o.NoReturn)
	g.giveExternal(o)
	for _, n := range nodes {
		for i := range n.Calls {
			n.Calls[i].settle(n)
		}
		for len(n.Indirect) < len(n.code) {
			n.Indirect = append(n.Indirect, Position{})
		}
	}
	g.addPointers(o.Indirect)
	for _, n := range g.Nodes {
		slices.SortFunc(n.Calls, func(a, b Call) int { return cmp.Compare(a.Callee.index, b.Callee.index) })
		for _, call := range n.Calls {
			call.Callee.Callers = append(call.Callee.Callers, n)
		}
	}
	g.ends = g.analyse(func(*Call) bool { return true })
	g.stays = g.ends
	if slices.ContainsFunc(g.Nodes, func(n *Node) bool { return n.NoReturn && len(n.Callers) > 0 }) {
		g.stays = g.analyse(func(call *Call) bool { return !call.Callee.NoReturn })
	}
	g.setTurns(o.Turns)
	g.measure(g.ends)
	if g.stays != g.ends {
		g.measure(g.stays)
	}
	return g
}

// measure fills in the depths of an analysis, and of the same without calls that were matched.
func (g *Graph) measure(a *analysis) {
	a.measure(g)
	if g.policy.matches() {
		a.byName = g.analyse(func(call *Call) bool { return !call.Pointer && a.follows(call) })
		a.byName.measure(g)
	}
}

func sortNodes(nodes []*Node) {
	slices.SortStableFunc(nodes, func(a, b *Node) int {
		return cmp.Or(strings.Compare(a.Symbol, b.Symbol), strings.Compare(a.Object, b.Object))
	})
	for i, n := range nodes {
		n.index = i
	}
}

// giveExternal gives external functions, and the kernel's, the sizes that the options have for them.
func (g *Graph) giveExternal(o Options) {
	used := make(map[string]bool)
	for _, n := range g.Nodes {
		if n.Defined && !n.Kernel {
			continue
		}
		bytes, ok := o.External[n.Symbol]
		if ok {
			used[n.Symbol] = true
		} else if o.ExternalBytes > 0 && !n.Defined {
			bytes, ok = o.ExternalBytes, true
		}
		if ok { // with all that it calls
			n.Given, n.Sized, n.Bytes, n.Kind = true, true, bytes, frame.Static
			n.Calls, n.Indirect, n.code = nil, nil, nil
		}
	}
	g.Stale.External = unused(o.External, used)
}

// unused returns the keys that are not used, sorted.
func unused(options map[string]int, used map[string]bool) []string {
	var all []string
	for symbol := range options {
		if !used[symbol] {
			all = append(all, symbol)
		}
	}
	slices.Sort(all)
	return all
}

// setTurns notes for the first member of each cycle how often it goes round.
func (g *Graph) setTurns(turns map[string]int) {
	g.turns = make(map[*Node]int)
	used := make(map[string]bool)
	if len(turns) == 0 {
		return
	}
	for _, a := range []*analysis{g.stays, g.ends} {
		for _, members := range a.components {
			if !a.recurses(members) {
				continue
			}
			for _, n := range members {
				for _, symbol := range []string{n.Symbol, frame.BaseName(n.Symbol)} {
					if times, ok := turns[symbol]; ok {
						used[symbol] = true
						g.turns[n] = max(g.turns[n], times)
					}
				}
			}
		}
	}
	g.Stale.Turns = unused(turns, used)
}

// turnsOf returns how often a cycle goes round, by the function of it for which most is given.
func (g *Graph) turnsOf(members []*Node) (times int, given bool) {
	for _, n := range members {
		times = max(times, g.turns[n])
	}
	return max(times, 1), times > 0
}

// Find returns the nodes of a function: those whose printable name, symbol, alias, or printable base name it is.
func (g *Graph) Find(function string) []*Node {
	var found []*Node
	for _, n := range g.Nodes {
		if n.Function == function || n.Symbol == function || frame.BaseName(n.Function) == function || slices.Contains(n.Aliases, function) {
			found = append(found, n)
		}
	}
	return found
}

// Entries returns the defined functions that nothing else calls by name, which are entry points and targets of pointers;
// of a cycle that nothing else calls, the first member. They are in the order of Nodes. The kernel's are none.
func (g *Graph) Entries() []*Node {
	var entries []*Node
	for c, members := range g.ends.components {
		if members[0].Defined && !members[0].Kernel && !g.calledFromOutside(c) {
			entries = append(entries, members[0])
		}
	}
	slices.SortFunc(entries, func(a, b *Node) int { return cmp.Compare(a.index, b.index) })
	return entries
}

func (g *Graph) calledFromOutside(component int) bool {
	return slices.ContainsFunc(g.ends.components[component], func(n *Node) bool {
		return slices.ContainsFunc(n.Callers, func(caller *Node) bool { return g.ends.component[caller.index] != component })
	})
}

// Cycles returns the components that recurse, those with most members first; members are in the order of Graph.Nodes.
// Calls of functions that do not return are not followed.
func (g *Graph) Cycles() [][]*Node {
	var cycles [][]*Node
	for _, members := range g.stays.components {
		if g.stays.recurses(members) {
			cycles = append(cycles, members)
		}
	}
	slices.SortFunc(cycles, func(a, b []*Node) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a[0].index, b[0].index))
	})
	return cycles
}
