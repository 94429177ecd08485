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
		match(g, g.bySlot(), func(c *Code) (field, bool) { return field{c.Slot.Table, c.Slot.Offset}, c.Slot.Known })
	case ByPrototype:
		match(g, g.byPrototype(), func(c *Code) (string, bool) { return c.Prototype, c.Prototype != "" })
	case AnyTaken:
		g.callAnything()
	}
}

// A field is where a function's address is: at an offset in data, or in any data of which the name is empty.
type field struct {
	table  string
	offset int
}

// bySlot returns the functions that data holds.
func (g *Graph) bySlot() map[field][]*Node {
	holds := make(map[field][]*Node)
	for _, n := range g.Nodes {
		for _, u := range n.Uses {
			if u.Kind == InTable {
				holds[field{u.Holder, u.Offset}] = append(holds[field{u.Holder, u.Offset}], n)
				holds[field{"", u.Offset}] = append(holds[field{"", u.Offset}], n)
			}
		}
	}
	return holds
}

// byPrototype returns the functions whose address is taken.
func (g *Graph) byPrototype() map[string][]*Node {
	all := make(map[string][]*Node)
	for _, n := range g.Nodes {
		if n.prototype != "" && n.isTaken() {
			all[n.prototype] = append(all[n.prototype], n)
		}
	}
	return all
}

// isTaken reports whether data holds a function's address, or code takes it.
func (n *Node) isTaken() bool {
	return slices.ContainsFunc(n.Uses, func(u *Use) bool { return u.Kind == InTable || u.Kind == Taken })
}

// match adds calls of the functions that are found by what is known of the pointers; not of the kernel's own calls, which would make one cycle of most
// of it.
func match[K comparable](g *Graph, found map[K][]*Node, of func(*Code) (key K, known bool)) {
	for key := range found {
		slices.SortFunc(found[key], func(a, b *Node) int { return cmp.Compare(a.index, b.index) })
		found[key] = slices.Compact(found[key])
	}
	for _, n := range g.Nodes {
		if n.chained {
			continue
		}
		deepest := make(map[K]measure)
		for _, code := range n.code {
			key, known := of(code)
			if !known || len(found[key]) == 0 {
				continue
			}
			n.matched++
			m := deepest[key]
			m.add(code)
			deepest[key] = m
		}
		if len(deepest) > 0 {
			addCandidates(n, deepest, found)
		}
	}
}

// callAnything adds a node that calls all functions whose address is taken, and that all calls through pointers call.
func (g *Graph) callAnything() {
	hub := &Node{Defined: true, Sized: true}
	hub.Symbol, hub.Function = anywhere, anywhere
	for _, n := range g.Nodes {
		if n.isTaken() {
			hub.Calls = append(hub.Calls, Call{Callee: n, Pointer: true})
		}
		if n.any = len(n.Indirect); n.any > 0 {
			n.Calls = append(n.Calls, Call{Callee: hub, Pointer: true, Bytes: n.Bytes})
		}
	}
	g.Nodes = append(g.Nodes, hub)
	sortNodes(g.Nodes)
}

// addCandidates adds calls of what is found. Of one that is called by name too, the deeper call counts.
func addCandidates[K comparable](n *Node, deepest map[K]measure, found map[K][]*Node) {
	index := make(map[*Node]int, len(n.Calls))
	for i := range n.Calls {
		index[n.Calls[i].Callee] = i
	}
	for key, m := range deepest {
		for _, callee := range found[key] {
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
