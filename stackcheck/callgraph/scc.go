package callgraph

import (
	"cmp"
	"slices"
)

// components returns the strongly connected components of the calls, callees before callers, each in the order of the
// nodes' indexes. It is Tarjan's algorithm (Depth-first search and linear graph algorithms, 1972) with a stack of its own:
// the depth of a call chain is a hostile file's to choose.
// Only some calls are followed.
func components(nodes []*Node, follows func(*Call) bool) [][]*Node {
	type visit struct {
		node *Node
		next int // the call to follow next
	}
	var (
		all     [][]*Node
		order   = make([]int, len(nodes)) // of discovery, from 1
		low     = make([]int, len(nodes)) // the earliest that is known to be reachable
		open    = make([]bool, len(nodes))
		pending []*Node
		stack   []visit
		count   int
	)
	enter := func(n *Node) {
		count++
		order[n.index], low[n.index], open[n.index] = count, count, true
		pending = append(pending, n)
		stack = append(stack, visit{node: n})
	}
	leave := func(n *Node) {
		stack = stack[:len(stack)-1]
		if len(stack) > 0 {
			caller := stack[len(stack)-1].node.index
			low[caller] = min(low[caller], low[n.index])
		}
		if low[n.index] != order[n.index] {
			return
		}
		first := len(pending) - 1
		for pending[first] != n {
			first--
		}
		members := slices.Clone(pending[first:])
		pending = pending[:first]
		for _, m := range members {
			open[m.index] = false
		}
		slices.SortFunc(members, func(a, b *Node) int { return cmp.Compare(a.index, b.index) })
		all = append(all, members)
	}
	for _, root := range nodes {
		if order[root.index] == 0 {
			enter(root)
		}
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.next == len(top.node.Calls) {
				leave(top.node)
				continue
			}
			call := &top.node.Calls[top.next]
			callee := call.Callee
			top.next++
			if !follows(call) {
				continue
			}
			if order[callee.index] == 0 {
				enter(callee)
				continue
			}
			if open[callee.index] {
				low[top.node.index] = min(low[top.node.index], order[callee.index])
			}
		}
	}
	return all
}
