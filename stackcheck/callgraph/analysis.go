package callgraph

// An analysis is what follows from the calls of a graph, or from some of them.
type analysis struct {
	follows    func(*Call) bool
	components [][]*Node       // callees before callers
	component  []int           // of each node
	depths     []depths        // of each component
	chains     map[*Node]chain // of members of cycles that are charged with one

	// byName is the same without calls that were matched, nil if there are none: these join cycles, which are charged with a chain then, and what is
	// known without them may be deeper.
	byName *analysis
}

func (g *Graph) analyse(follows func(*Call) bool) *analysis {
	a := &analysis{follows: follows, components: components(g.Nodes, follows), component: make([]int, len(g.Nodes))}
	for c, members := range a.components {
		for _, n := range members {
			a.component[n.index] = c
		}
	}
	return a
}

// of returns the component of a node.
func (a *analysis) of(n *Node) int { return a.component[n.index] }

func (a *analysis) recurses(component []*Node) bool {
	if len(component) > 1 {
		return true
	}
	return a.calls(component[0], func(call *Call) bool { return call.Callee == component[0] })
}

// calls reports whether any call of a function that is followed is of a kind.
func (a *analysis) calls(n *Node, is func(*Call) bool) bool {
	for i := range n.Calls {
		if call := &n.Calls[i]; is(call) && a.follows(call) {
			return true
		}
	}
	return false
}
