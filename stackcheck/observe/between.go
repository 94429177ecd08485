package observe

import "github.com/kmodaudit/kmodaudit/stackcheck/callgraph"

// between returns the bytes of the deepest path from one function to the end of another, in which a cycle is charged once with the
// sum of all its members; and false when no known calls lead there.
func between(g *callgraph.Graph, from, to *callgraph.Node) (bytes int, ok bool) {
	b := betweenness{cycle: make(map[*callgraph.Node][]*callgraph.Node), deepest: make(map[*callgraph.Node]int), to: to}
	for _, members := range g.Cycles() {
		for _, n := range members {
			b.cycle[n] = members
		}
	}
	b.measure(from)
	bytes = b.deepest[b.first(from)]
	return bytes, bytes > 0
}

type betweenness struct {
	cycle   map[*callgraph.Node][]*callgraph.Node
	deepest map[*callgraph.Node]int // of the first member of a cycle for all; 0 when to is not reached
	to      *callgraph.Node
}

// first returns the node that stands for all of its cycle.
func (b *betweenness) first(n *callgraph.Node) *callgraph.Node { return b.members(n)[0] }

func (b *betweenness) members(n *callgraph.Node) []*callgraph.Node {
	if members := b.cycle[n]; members != nil {
		return members
	}
	return []*callgraph.Node{n}
}

// measure fills in the deepest bytes of all that can be reached, callees before callers. Its stack is its own: the
// depth of a call chain is a hostile file's to choose.
func (b *betweenness) measure(from *callgraph.Node) {
	seen := make(map[*callgraph.Node]bool)
	type visit struct {
		node *callgraph.Node
		left bool // all callees are known
	}
	pending := []visit{{node: b.first(from)}}
	for len(pending) > 0 {
		v := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if v.left {
			b.deepest[v.node] = b.below(v.node)
			continue
		}
		if seen[v.node] {
			continue
		}
		seen[v.node] = true
		pending = append(pending, visit{v.node, true})
		for _, m := range b.members(v.node) {
			for _, c := range m.Calls {
				if callee := b.first(c.Callee); !seen[callee] {
					pending = append(pending, visit{node: callee})
				}
			}
		}
	}
}

// below returns the bytes from a node, or its cycle, down to the end.
func (b *betweenness) below(n *callgraph.Node) int {
	members, own, best := b.members(n), 0, 0
	for _, m := range members {
		own += m.Bytes
	}
	if n == b.first(b.to) {
		return own
	}
	for _, m := range members {
		for _, c := range m.Calls {
			callee := b.first(c.Callee)
			if callee == n || b.deepest[callee] == 0 {
				continue
			}
			if b.cycle[n] != nil {
				best = max(best, own+b.deepest[callee])
			} else {
				best = max(best, c.Bytes+b.deepest[callee])
			}
		}
	}
	return best
}
