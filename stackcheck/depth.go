package stackcheck

import "github.com/kmodaudit/kmodaudit/stackcheck/callgraph"

// Depths tells of each function of a graph the bytes of the deepest path that begins there: those of Graph.WorstFrom,
// for all functions in one pass over the calls, without the paths and what they leave out.
type Depths struct {
	first map[*callgraph.Node]*callgraph.Node // that stands for the cycle; of functions that recurse
	cycle map[*callgraph.Node][]*callgraph.Node
	bytes map[*callgraph.Node]int
}

// NewDepths computes the depths of a graph.
func NewDepths(g *callgraph.Graph) Depths {
	d := Depths{
		first: make(map[*callgraph.Node]*callgraph.Node),
		cycle: make(map[*callgraph.Node][]*callgraph.Node),
		bytes: make(map[*callgraph.Node]int, len(g.Nodes)),
	}
	for _, members := range g.Cycles() {
		d.cycle[members[0]] = members
		for _, n := range members {
			d.first[n] = members[0]
		}
	}
	for _, n := range g.Nodes {
		d.measure(d.component(n))
	}
	return d
}

// From returns the bytes of the deepest path that begins at n.
func (d Depths) From(n *callgraph.Node) int { return d.bytes[d.component(n)] }

// component returns the function that stands for the cycle of n, or n.
func (d Depths) component(n *callgraph.Node) *callgraph.Node {
	if first := d.first[n]; first != nil {
		return first
	}
	return n
}

func (d Depths) members(component *callgraph.Node) []*callgraph.Node {
	if members := d.cycle[component]; members != nil {
		return members
	}
	return []*callgraph.Node{component}
}

// measure computes the depth of a component after those of all that it calls. The stack is its own: the depth of a call
// chain is a hostile file's to choose.
func (d Depths) measure(root *callgraph.Node) {
	pending := []*callgraph.Node{root}
	for len(pending) > 0 {
		component := pending[len(pending)-1]
		if _, done := d.bytes[component]; done {
			pending = pending[:len(pending)-1]
			continue
		}
		own, deepest, before := 0, 0, len(pending)
		for _, n := range d.members(component) {
			own += n.Bytes
			for _, call := range n.Calls {
				callee := d.component(call.Callee)
				if callee == component {
					continue
				}
				bytes, done := d.bytes[callee]
				if !done {
					pending = append(pending, callee)
				}
				deepest = max(deepest, bytes)
			}
		}
		if len(pending) == before {
			d.bytes[component] = own + deepest
			pending = pending[:before-1]
		}
	}
}
