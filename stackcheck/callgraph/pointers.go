package callgraph

import (
	"cmp"
	"slices"
)

// anywhere is the symbol of the node that stands for what any call through a pointer leads to.
const anywhere = "(any function whose address is taken)"

// addPointers adds calls for those through pointers.
func (g *Graph) addPointers(p Policy) {
	switch p {
	case BySlot:
		g.matchSlots()
	case AnyTaken:
		g.callAnything()
	}
}

// A field is where a function's address is: at an offset in data, or in any data of which the name is empty.
type field struct {
	table  string
	offset int
}

// matchSlots adds calls of the functions that data holds where pointers are loaded from.
func (g *Graph) matchSlots() {
	holds := make(map[field][]*Node)
	for _, n := range g.Nodes {
		for _, u := range n.Uses {
			if u.Kind == InTable {
				holds[field{u.Holder, u.Offset}] = append(holds[field{u.Holder, u.Offset}], n)
				holds[field{"", u.Offset}] = append(holds[field{"", u.Offset}], n)
			}
		}
	}
	for at := range holds {
		slices.SortFunc(holds[at], func(a, b *Node) int { return cmp.Compare(a.index, b.index) })
		holds[at] = slices.Compact(holds[at])
	}
	for _, n := range g.Nodes {
		deepest := make(map[field]measure)
		for _, code := range n.code {
			at := field{code.Slot.Table, code.Slot.Offset}
			if !code.Slot.Known || len(holds[at]) == 0 {
				continue
			}
			n.matched++
			m := deepest[at]
			m.add(code)
			deepest[at] = m
		}
		if len(deepest) > 0 {
			n.addPointers(deepest, holds)
		}
	}
}

// callAnything adds a node that calls all functions whose address is taken, and that all calls through pointers call.
func (g *Graph) callAnything() {
	hub := &Node{Defined: true, Sized: true}
	hub.Symbol, hub.Function = anywhere, anywhere
	for _, n := range g.Nodes {
		if slices.ContainsFunc(n.Uses, func(u *Use) bool { return u.Kind == InTable || u.Kind == Taken }) {
			hub.Calls = append(hub.Calls, Call{Callee: n, Pointer: true})
		}
		if n.any = len(n.Indirect); n.any > 0 {
			n.Calls = append(n.Calls, Call{Callee: hub, Pointer: true, Bytes: n.Bytes})
		}
	}
	g.Nodes = append(g.Nodes, hub)
	sortNodes(g.Nodes)
}

// addPointers adds calls of what fields hold. Of one that is called by name too, the deeper call counts.
func (n *Node) addPointers(fields map[field]measure, holds map[field][]*Node) {
	index := make(map[*Node]int, len(n.Calls))
	for i := range n.Calls {
		index[n.Calls[i].Callee] = i
	}
	for at, m := range fields {
		for _, callee := range holds[at] {
			call := Call{Callee: callee, Pointer: true, code: m}
			call.settle(n)
			call.Sites = 0
			if i, ok := index[callee]; ok {
				n.Calls[i].Bytes = max(n.Calls[i].Bytes, call.Bytes)
				continue
			}
			index[callee] = len(n.Calls)
			n.Calls = append(n.Calls, call)
		}
	}
}
