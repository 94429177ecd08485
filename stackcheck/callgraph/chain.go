package callgraph

import "slices"

// isChained reports whether a cycle is one of the kernel, or there only because of calls that were matched.
//
// The kernel's cycles are not charged with the sum of all members: its core is one cycle of more than a thousand functions,
// since much of it can warn, allocate and sleep, each of which can do the others, and no thread goes through all of them. They
// are charged, by the function at which a path enters them, with the deepest chain in which each function is as few calls
// away from that one as it can be. Longer ways round are not counted; the true bound is no lower. The same holds for what calls
// through pointers join that are matched by an offset, or by a prototype.
func (a *analysis) isChained(g *Graph, members []*Node) bool {
	if members[0].chained {
		return true
	}
	return g.policy.matches() && slices.ContainsFunc(members, func(n *Node) bool {
		return a.calls(n, func(call *Call) bool { return call.Pointer && a.of(call.Callee) == a.of(n) })
	})
}

// A chain is the deepest one from a member of a cycle.
type chain struct {
	below int   // with what is below the cycle, in bytes
	taken int   // of that, what is taken at the exit
	exit  *Call // that leads out of the cycle; nil if the chain ends in it
}

// A local is a member of a cycle, and what it calls in it.
type local struct {
	calls []localCall
	bytes int   // of its frame
	exit  int   // of its deepest call out of the cycle, with what that takes; or its frame
	leads *Call // that call, nil for the frame
}

type localCall struct {
	callee int // index of the member
	bytes  int
}

// measureChains fills in the depths of a cycle of the kernel whose callees are measured.
func (a *analysis) measureChains(d *depths, members []*Node) {
	component := a.of(members[0])
	index := make(map[*Node]int, len(members))
	for i, n := range members {
		index[n] = i
	}
	locals := make([]local, len(members))
	for i, n := range members {
		l := &locals[i]
		l.bytes, l.exit = n.Bytes, n.Bytes
		for j := range n.Calls {
			call := &n.Calls[j]
			switch {
			case !a.follows(call):
			case a.of(call.Callee) == component:
				l.calls = append(l.calls, localCall{index[call.Callee], call.Bytes})
			case a.below(call.Callee) > 0 && call.Bytes+a.below(call.Callee) >= l.exit:
				l.exit, l.leads = call.Bytes+a.below(call.Callee), call
			}
		}
	}
	level := make([]int, len(members))
	inside, through := make([]int, len(members)), make([]int, len(members))
	last := make([]int, len(members)) // at which the deepest chain from each ends
	order := make([]int, 0, len(members))
	for root := range members {
		order = breadthFirst(locals, root, level, order[:0])
		for i := len(order) - 1; i >= 0; i-- {
			at := order[i]
			inside[at], through[at], last[at] = locals[at].bytes, locals[at].exit, at
			for _, call := range locals[at].calls {
				if level[call.callee] == level[at]+1 {
					inside[at] = max(inside[at], call.bytes+inside[call.callee])
					if deeper := call.bytes + through[call.callee]; deeper > through[at] {
						through[at], last[at] = deeper, last[call.callee]
					}
				}
			}
		}
		c := chain{below: through[root], taken: through[root], exit: locals[last[root]].leads}
		if c.exit != nil {
			c.taken -= a.below(c.exit.Callee)
		}
		a.chains[members[root]] = c
		d.own, d.below = max(d.own, inside[root]), max(d.below, through[root])
	}
}

// breadthFirst returns the members in the order of their distance from a root, and fills in the distances.
func breadthFirst(locals []local, root int, level, order []int) []int {
	for i := range level {
		level[i] = -1
	}
	level[root] = 0
	order = append(order, root)
	for next := 0; next < len(order); next++ {
		at := order[next]
		for _, call := range locals[at].calls {
			if level[call.callee] < 0 {
				level[call.callee] = level[at] + 1
				order = append(order, call.callee)
			}
		}
	}
	return order
}
