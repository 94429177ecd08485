package callgraph

// callees and callers are the two directions of reach.
func callees(n *Node, visit func(*Node)) {
	for _, call := range n.Calls {
		visit(call.Callee)
	}
}

func callers(n *Node, visit func(*Node)) {
	for _, caller := range n.Callers {
		visit(caller)
	}
}

// reach marks by index the nodes that can be reached from n in one direction, n included.
func (g *Graph) reach(n *Node, neighbours func(*Node, func(*Node))) []bool {
	seen := make([]bool, len(g.Nodes))
	seen[n.index] = true
	pending := []*Node{n}
	visit := func(m *Node) {
		if !seen[m.index] {
			seen[m.index] = true
			pending = append(pending, m)
		}
	}
	for len(pending) > 0 {
		last := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		neighbours(last, visit)
	}
	return seen
}
