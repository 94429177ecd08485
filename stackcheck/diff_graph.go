package stackcheck

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// A partnership leads from the functions of one build's graph to their counterparts in another's.
type partnership struct {
	from, to *callgraph.Graph
	node     map[string]*callgraph.Node // of from, by place
	of       map[*callgraph.Node]*callgraph.Node
}

// partners returns the partnerships of two builds with graphs, from the old to the new one, and back.
func partners(before, after Build, all []pair) (forth, back partnership) {
	forth = partnership{before.Graph, after.Graph, nodesByPlace(before.Graph), make(map[*callgraph.Node]*callgraph.Node)}
	back = partnership{after.Graph, before.Graph, nodesByPlace(after.Graph), make(map[*callgraph.Node]*callgraph.Node)}
	join := func(x, y *callgraph.Node) {
		if x != nil && y != nil {
			forth.of[x], back.of[y] = y, x
		}
	}
	for _, p := range all {
		if p.Old != nil && p.New != nil {
			join(forth.find(p.Old.Frames[0]), back.find(p.New.Frames[0]))
		}
	}
	external := make(map[string]*callgraph.Node)
	for _, n := range before.Graph.Nodes {
		if !n.Defined {
			external[n.Symbol] = n
		}
	}
	for _, n := range after.Graph.Nodes {
		if !n.Defined {
			join(external[n.Symbol], n)
		}
	}
	return forth, back
}

func nodesByPlace(g *callgraph.Graph) map[string]*callgraph.Node {
	nodes := make(map[string]*callgraph.Node, len(g.Nodes))
	for _, n := range g.Nodes {
		if key := place(n.Frame); n.Defined && nodes[key] == nil {
			nodes[key] = n
		}
	}
	return nodes
}

// place is what .su and .ci files tell alike, but for clones of the same function. Objects tell no lines.
func place(f frame.Frame) string {
	if f.Line == 0 {
		return fmt.Sprintf("%s\x00%s\x00%s", f.Object, canonical(f.Function), f.File)
	}
	return fmt.Sprintf("%s\x00%s\x00%d", f.Object, canonical(f.Function), f.Line)
}

func (p partnership) find(f frame.Frame) *callgraph.Node { return p.node[place(f)] }

// explain finds out where a function that is gone has gone to, and where a new one comes from.
func (c *Change) explain(forth, back partnership) {
	switch c.Kind {
	case Gone:
		if c.Into = forth.absorbers(forth.find(*c.Old)); len(c.Into) > 0 {
			c.Kind = InlinedAway
		}
	case New:
		c.From = back.absorbers(back.find(*c.New))
	}
}

// absorbers returns the functions of the other build that have taken over what n does.
func (p partnership) absorbers(n *callgraph.Node) []frame.Frame {
	if n == nil {
		return nil
	}
	callees, indirect := p.surviving(n)
	var found []*callgraph.Node
	for _, caller := range p.survivors(n) {
		partner := p.of[caller]
		took := slices.ContainsFunc(callees, func(callee *callgraph.Node) bool {
			return sites(partner, p.of[callee]) > sites(caller, callee)
		})
		switch {
		case took,
			indirect && len(partner.Indirect) > len(caller.Indirect),
			len(callees) == 0 && !indirect && partner.Bytes > caller.Bytes:
			found = append(found, partner)
		}
	}
	slices.SortFunc(found, func(a, b *callgraph.Node) int { return frame.Compare(a.Frame, b.Frame) })
	var frames []frame.Frame
	for _, each := range slices.Compact(found) {
		frames = append(frames, each.Frame)
	}
	return frames
}

// survivors returns the callers of n that have a partner: its own, or those of callers that have none.
func (p partnership) survivors(n *callgraph.Node) []*callgraph.Node {
	var all []*callgraph.Node
	p.walk(n, func(n *callgraph.Node) []*callgraph.Node { return n.Callers }, func(m *callgraph.Node) { all = append(all, m) })
	return all
}

// surviving returns what n calls that has a partner, in the same way, and whether there are calls through pointers.
func (p partnership) surviving(n *callgraph.Node) (all []*callgraph.Node, indirect bool) {
	indirect = len(n.Indirect) > 0
	p.walk(n, func(n *callgraph.Node) []*callgraph.Node {
		indirect = indirect || len(n.Indirect) > 0
		var callees []*callgraph.Node
		for _, call := range n.Calls {
			callees = append(callees, call.Callee)
		}
		return callees
	}, func(m *callgraph.Node) { all = append(all, m) })
	return all, indirect
}

// mostInlined is how many functions walk goes through. The compiler stops long before, a hostile file does not.
const mostInlined = 1000

// walk goes from n through functions without partner, and ends at those with one.
func (p partnership) walk(n *callgraph.Node, next func(*callgraph.Node) []*callgraph.Node, end func(*callgraph.Node)) {
	seen := map[*callgraph.Node]bool{n: true}
	pending := []*callgraph.Node{n}
	for len(pending) > 0 && len(seen) < mostInlined {
		at := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		for _, m := range next(at) {
			if seen[m] {
				continue
			}
			seen[m] = true
			if p.of[m] != nil {
				end(m)
			} else {
				pending = append(pending, m)
			}
		}
	}
}

// sites returns at how many places one function calls the other.
func sites(caller, callee *callgraph.Node) int {
	for _, call := range caller.Calls {
		if call.Callee == callee {
			return call.Sites
		}
	}
	return 0
}

// pathChanges compares the depths from the entries of both graphs.
func pathChanges(forth, back partnership) []PathChange {
	before, after := forth.from, back.from
	changes := []PathChange{}
	for _, n := range after.Entries() {
		c := PathChange{Kind: New, Function: n.Frame, NewBytes: after.DepthFrom(n)}
		if partner := back.of[n]; partner != nil {
			c.OldBytes, c.Kind = before.DepthFrom(partner), Shrunk
			if c.NewBytes > c.OldBytes {
				c.Kind = Grown
			}
		}
		if c.DeltaBytes = c.NewBytes - c.OldBytes; c.DeltaBytes != 0 || c.Kind == New {
			changes = append(changes, c)
		}
	}
	for _, n := range before.Entries() {
		if forth.of[n] == nil {
			bytes := before.DepthFrom(n)
			changes = append(changes, PathChange{Kind: Gone, Function: n.Frame, OldBytes: bytes, DeltaBytes: -bytes})
		}
	}
	slices.SortStableFunc(changes, func(a, b PathChange) int {
		return cmp.Or(cmp.Compare(abs(b.DeltaBytes), abs(a.DeltaBytes)), frame.Compare(a.Function, b.Function))
	})
	return changes
}
