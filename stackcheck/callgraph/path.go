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
}

// A Step is a function on a path, or a cycle that the path enters at that function.
type Step struct {
	Frame frame.Frame   `json:"frame"`
	Bytes int           `json:"bytes"`           // what the step adds: the frame, or the sum of the cycle
	Cycle []frame.Frame `json:"cycle,omitempty"` // all members, when the function recurses
	Site  Position      `json:"site,omitzero"`   // of the call that leads here from the step before
}

// WorstFrom returns the deepest path that begins at n. The verdict is about all that n can reach.
func (g *Graph) WorstFrom(n *Node) Path {
	return g.finish(g.down(g.step(n, Position{}), n), g.reach(n, callees))
}

// WorstThrough returns the deepest path that has n on it: callers above, callees below. The verdict is about all that
// can reach n, and all that n can reach; a caller through a pointer is not known and not on the path.
func (g *Graph) WorstThrough(n *Node) Path {
	part := g.reach(n, callees)
	for i, in := range g.reach(n, callers) {
		part[i] = part[i] || in
	}
	var above []Step
	at := n
	for {
		prev := g.depths[g.component[at.index]].prev
		if prev == nil {
			above = append(above, g.step(at, Position{}))
			break
		}
		above = append(above, g.step(at, prev.call.Site))
		at = prev.caller
	}
	slices.Reverse(above)
	last := len(above) - 1
	return g.finish(append(above[:last], g.down(above[last], n)...), part)
}

// Worst returns the deepest path of the graph. The verdict is about the whole graph: any part of it that is not known
// could be deeper. A graph without functions has a Path without steps.
func (g *Graph) Worst() Path {
	var deepest *Node
	for _, n := range g.Nodes {
		if deepest == nil || g.DepthFrom(n) > g.DepthFrom(deepest) {
			deepest = n
		}
	}
	part := slices.Repeat([]bool{true}, len(g.Nodes))
	if deepest == nil {
		return g.finish(nil, part)
	}
	return g.finish(g.down(g.step(deepest, Position{}), deepest), part)
}

// DepthFrom returns the bytes of the deepest path that begins at n, those of WorstFrom, without looking for the path.
func (g *Graph) DepthFrom(n *Node) int { return g.depths[g.component[n.index]].below }

// down follows the deepest way from n, whose own step is first.
func (g *Graph) down(first Step, n *Node) []Step {
	steps := []Step{first}
	for next := g.depths[g.component[n.index]].next; next != nil; next = g.depths[g.component[n.index]].next {
		n = next.call.Callee
		steps = append(steps, g.step(n, next.call.Site))
	}
	return steps
}

func (g *Graph) step(n *Node, site Position) Step {
	c := g.component[n.index]
	s := Step{Frame: n.Frame, Bytes: g.depths[c].own, Site: site}
	if members := g.components[c]; recurses(members) {
		for _, m := range members {
			s.Cycle = append(s.Cycle, m.Frame)
		}
	}
	return s
}

func (g *Graph) finish(steps []Step, part []bool) Path {
	p := Path{Steps: steps, Verdict: g.verdict(part)}
	for _, s := range steps {
		p.Bytes += s.Bytes
	}
	return p
}
