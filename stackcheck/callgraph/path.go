package callgraph

import (
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// A Path is a chain of calls, the outermost caller first.
type Path struct {
	Bytes   int     `json:"bytes"` // sum over the steps
	Verdict Verdict `json:"verdict"`
	Steps   []Step  `json:"steps"`

	// NoReturn is the deepest path of the same kind when it may end in functions that do not return, if that is deeper.
	NoReturn *Path `json:"noreturn,omitempty"`
}

// A Step is a function on a path, or a cycle that the path enters at that function.
type Step struct {
	Frame    frame.Frame   `json:"frame"`
	Bytes    int           `json:"bytes"`              // what the step adds: what is taken of the stack at the call that follows, the frame at the end, or the sum of the cycle
	Cycle    []frame.Frame `json:"cycle,omitempty"`    // all members, when the function recurses
	Chain    bool          `json:"chain,omitempty"`    // of the cycle, the deepest chain is charged and not the sum
	Turns    int           `json:"turns,omitempty"`    // of the cycle, where they are given; otherwise it is charged one
	Site     Position      `json:"site,omitzero"`      // of the call that leads here from the step before
	Tail     bool          `json:"tail,omitempty"`     // the step before has jumped here, and is gone
	NoReturn bool          `json:"noreturn,omitempty"` // the function does not return
	Pointer  bool          `json:"pointer,omitempty"`  // the step before calls through a pointer, which by the policy may lead here
}

// WorstFrom returns the deepest path that begins at n. The verdict is about all that n can reach. Calls of functions that
// do not return are not followed, but where the path begins at one.
func (g *Graph) WorstFrom(n *Node) Path {
	p := g.worstFrom(g.stays, n)
	if g.ends.from(n).below(n) > p.Bytes {
		p.NoReturn = new(g.worstFrom(g.ends, n))
	}
	return p
}

func (g *Graph) worstFrom(a *analysis, n *Node) Path {
	by := a.from(n)
	return g.finish(a, g.down(by, g.step(by, n, nil), n), a.reach(g, n, callees))
}

// from returns that of an analysis and the same without matched calls by which the path from a node is the deepest.
func (a *analysis) from(n *Node) *analysis {
	if a.byName != nil && a.byName.below(n) > a.below(n) {
		return a.byName
	}
	return a
}

// through does the same for the path that has the node on it.
func (a *analysis) through(n *Node) *analysis {
	if b := a.byName; b != nil && b.above(n)+b.below(n) > a.above(n)+a.below(n) {
		return b
	}
	return a
}

// WorstThrough returns the deepest path that has n on it: callers above, callees below. The verdict is about all that
// can reach n, and all that n can reach; a caller through a pointer is not known and not on the path. Calls of functions
// that do not return are not followed, unless n is one.
func (g *Graph) WorstThrough(n *Node) Path {
	if n.NoReturn {
		return g.worstThrough(g.ends, n)
	}
	p := g.worstThrough(g.stays, n)
	if by := g.ends.through(n); by.above(n)+by.below(n) > p.Bytes {
		p.NoReturn = new(g.worstThrough(g.ends, n))
	}
	return p
}

func (g *Graph) worstThrough(a *analysis, n *Node) Path {
	part := a.reach(g, n, callees)
	for i, in := range a.reach(g, n, callers) {
		part[i] = part[i] || in
	}
	by := a.through(n)
	var above []Step
	at := n
	for {
		prev := by.depths[by.of(at)].prev
		if prev == nil {
			above = append(above, g.step(by, at, nil))
			break
		}
		above = append(above, g.step(by, at, prev.call))
		at = prev.caller
	}
	slices.Reverse(above)
	// What each of the callers has taken is told by the call that leads on.
	at = n
	for i := len(above) - 2; i >= 0; i-- {
		prev := by.depths[by.of(at)].prev
		above[i].Bytes = by.depths[by.of(prev.caller)].taken(prev.call)
		at = prev.caller
	}
	last := len(above) - 1
	return g.finish(a, append(above[:last], g.down(by, above[last], n)...), part)
}

// Worst returns the deepest path of the graph. The verdict is about the whole graph: any part of it that is not known
// could be deeper. A graph without functions has a Path without steps.
func (g *Graph) Worst() Path {
	p := g.worst(g.stays)
	if g.ends != g.stays {
		if q := g.worst(g.ends); q.Bytes > p.Bytes {
			p.NoReturn = &q
		}
	}
	return p
}

func (g *Graph) worst(a *analysis) Path {
	var deepest *Node
	for _, n := range g.Nodes {
		if deepest == nil || a.from(n).below(n) > a.from(deepest).below(deepest) {
			deepest = n
		}
	}
	part := slices.Repeat([]bool{true}, len(g.Nodes))
	if deepest == nil {
		return g.finish(a, nil, part)
	}
	by := a.from(deepest)
	return g.finish(a, g.down(by, g.step(by, deepest, nil), deepest), part)
}

// DepthFrom returns the bytes of the deepest path that begins at n, those of WorstFrom, without looking for the path.
func (g *Graph) DepthFrom(n *Node) int { return g.stays.from(n).below(n) }

// NoReturnDepthFrom returns the bytes of the deepest path that begins at n and may end in functions that do not return.
func (g *Graph) NoReturnDepthFrom(n *Node) int { return g.ends.from(n).below(n) }

// below returns the bytes of the deepest path from a node.
func (a *analysis) below(n *Node) int {
	if len(a.chains) > 0 {
		if chain, ok := a.chains[n]; ok {
			return chain.below
		}
	}
	return a.depths[a.of(n)].below
}

func (a *analysis) above(n *Node) int { return a.depths[a.of(n)].above }

// down follows the deepest way from n, whose own step is first.
func (g *Graph) down(a *analysis, first Step, n *Node) []Step {
	steps := []Step{first}
	for {
		call := a.chains[n].exit
		if d := &a.depths[a.of(n)]; d.next != nil {
			call = d.next.call
			steps[len(steps)-1].Bytes = d.taken(call)
		}
		if call == nil {
			return steps
		}
		n = call.Callee
		steps = append(steps, g.step(a, n, call))
	}
}

// step returns the step of a path that ends at n, where a call leads.
func (g *Graph) step(a *analysis, n *Node, call *Call) Step {
	d := &a.depths[a.of(n)]
	s := Step{Frame: n.Frame, Bytes: d.own, NoReturn: n.NoReturn}
	if chain, ok := a.chains[n]; ok {
		s.Bytes, s.Chain = chain.taken, true
	}
	if call != nil {
		s.Site, s.Tail, s.Pointer = call.Site, call.Tail, call.Pointer
	}
	if d.cycle {
		members := a.components[a.of(n)]
		for _, m := range members {
			s.Cycle = append(s.Cycle, m.Frame)
		}
		if times, given := g.turnsOf(members); given {
			s.Turns = times
		}
	}
	return s
}

func (g *Graph) finish(a *analysis, steps []Step, part []bool) Path {
	p := Path{Steps: steps, Verdict: g.verdict(a, part)}
	for _, s := range steps {
		p.Bytes += s.Bytes
	}
	return p
}
