package callgraph

// depths is what the condensation's longest paths through one component need.
type depths struct {
	own   int  // the frame; of a cycle the sum of all for all of its turns, of a kernel's the deepest chain; in bytes
	cycle bool // it recurses
	below int  // from the component's entry down to the deepest place, own included
	above int  // from the highest caller down to where the component begins
	next  *step
	prev  *step
}

// A step leads from one component to another.
type step struct {
	caller *Node
	call   *Call
}

// taken returns what the step's caller, or its cycle, has of the stack when the callee begins.
func (d *depths) taken(call *Call) int {
	if d.cycle {
		return d.own
	}
	return call.Bytes
}

// measure fills in the depths of all components: the longest path in a graph without cycles, in one pass each way.
// Of equally deep ways it takes the one that comes first in the order of the nodes, and of a function's own frame and a
// call that is as deep, the call.
func (a *analysis) measure(g *Graph) {
	a.depths, a.chains = make([]depths, len(a.components)), make(map[*Node]chain)
	for c, members := range a.components {
		a.down(c, members, g)
	}
	for c := len(a.components) - 1; c >= 0; c-- {
		d := &a.depths[c]
		for _, n := range a.components[c] {
			for i := range n.Calls {
				call := &n.Calls[i]
				callee := a.of(call.Callee)
				if callee == c || !a.follows(call) {
					continue
				}
				below := &a.depths[callee]
				above := d.above + d.taken(call)
				if above > below.above || above == below.above && (below.prev == nil || n.index < below.prev.caller.index) {
					below.above, below.prev = above, &step{n, call}
				}
			}
		}
	}
}

// down measures a component whose callees are measured.
func (a *analysis) down(c int, members []*Node, g *Graph) {
	d := &a.depths[c]
	times, given := g.turnsOf(members)
	if d.cycle = a.recurses(members); d.cycle && !given && a.isChained(g, members) {
		a.measureChains(d, members)
		return
	}
	for _, n := range members {
		d.own += n.Bytes * times
	}
	d.below = d.own
	for _, n := range members {
		for i := range n.Calls {
			call := &n.Calls[i]
			deeper := a.below(call.Callee)
			if a.of(call.Callee) == c || !a.follows(call) || deeper == 0 {
				continue
			}
			below := d.taken(call) + deeper
			if below > d.below || below == d.below && (d.next == nil || call.Callee.index < d.next.call.Callee.index) {
				d.below, d.next = below, &step{n, call}
			}
		}
	}
}
