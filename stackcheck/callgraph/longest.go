package callgraph

// depths is what the condensation's longest paths through one component need.
type depths struct {
	own   int // sum of the members' frames, in bytes
	below int // from the component's entry down to the deepest callee, own included
	above int // from the highest caller down to the component, own included
	next  *step
	prev  *step
}

// A step leads from one component to another.
type step struct {
	caller *Node
	call   Call
}

// measure fills in the depths of all components: the longest path in a graph without cycles, in one pass each way.
// Of equally deep ways it takes the one that comes first in the order of the nodes.
func (g *Graph) measure() {
	g.depths = make([]depths, len(g.components))
	for c, members := range g.components {
		d := &g.depths[c]
		best := 0
		for _, n := range members {
			d.own += n.Bytes
			for _, call := range n.Calls {
				callee := g.component[call.Callee.index]
				below := g.depths[callee].below
				if callee == c || below < best || below == 0 {
					continue
				}
				if below > best || call.Callee.index < d.next.call.Callee.index {
					best, d.next = below, &step{n, call}
				}
			}
		}
		d.below = d.own + best
	}
	for c := len(g.components) - 1; c >= 0; c-- {
		d := &g.depths[c]
		d.above += d.own // until here, above is that of the best caller
		for _, n := range g.components[c] {
			for _, call := range n.Calls {
				callee := &g.depths[g.component[call.Callee.index]]
				if callee == d || d.above < callee.above {
					continue
				}
				if d.above > callee.above || callee.prev == nil || n.index < callee.prev.caller.index {
					callee.above, callee.prev = d.above, &step{n, call}
				}
			}
		}
	}
}
