package callgraph

import "slices"

// callees and callers are the two directions of reach.
func callees(a *analysis, n *Node, visit func(*Node)) {
	for i := range n.Calls {
		if a.follows(&n.Calls[i]) {
			visit(n.Calls[i].Callee)
		}
	}
}

func callers(a *analysis, n *Node, visit func(*Node)) {
	for _, caller := range n.Callers {
		if i, ok := slices.BinarySearchFunc(caller.Calls, n, func(call Call, n *Node) int { return call.Callee.index - n.index }); ok && a.follows(&caller.Calls[i]) {
			visit(caller)
		}
	}
}

// reach marks by index the nodes that can be reached from n in one direction, n included.
func (a *analysis) reach(g *Graph, n *Node, neighbours func(*analysis, *Node, func(*Node))) []bool {
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
		neighbours(a, last, visit)
	}
	return seen
}
