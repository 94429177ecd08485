package stackcheck

import (
	"cmp"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

func pathCeiling(w Waiver) int { return w.PathCeilingBytes }

// paths checks the deepest path from each entry, and from each function that has a limit of its own, and against
// the baseline. What many entries have in common, such as a path that they all share, is one finding.
func (c *checker) paths() {
	g := c.build.Graph
	entries := g.Entries()
	var above []*callgraph.Node // by the general limit
	isEntry := make(map[*callgraph.Node]bool)
	for _, n := range entries {
		isEntry[n] = true
	}
	for _, n := range g.Nodes {
		if !n.Defined {
			continue
		}
		general := 0
		if isEntry[n] {
			general = c.limits.PathBytes
		}
		own := c.limitOf(n.Frame, 0, func(l Limit) int { return l.PathBytes })
		switch limit := cmp.Or(own, general); {
		case limit == 0 || g.DepthFrom(n) <= limit || !c.isUnwaived(n, g.DepthFrom(n)):
		case own > 0:
			c.findings = append(c.findings, pathAboveLimit(g.WorstFrom(n), own, 0))
		default:
			above = append(above, n)
		}
	}
	if len(above) > 0 {
		deepest := slices.MaxFunc(above, func(a, b *callgraph.Node) int { return cmp.Compare(g.DepthFrom(a), g.DepthFrom(b)) })
		c.findings = append(c.findings, pathAboveLimit(g.WorstFrom(deepest), c.limits.PathBytes, len(above)-1))
	}
	if b := c.limits.Baseline; b != nil && b.Build.Graph != nil {
		c.grownPaths(*b)
	}
}

// isUnwaived reports whether no waiver speaks of the path from n. One that is above the ceiling of
// its waiver is found here.
func (c *checker) isUnwaived(n *callgraph.Node, bytes int) bool {
	w := c.waiver(n.Frame, c.reach[place(n.Frame)], pathCeiling)
	if w == nil {
		return true
	}
	if bytes > w.PathCeilingBytes {
		c.findings = append(c.findings, pathAboveCeiling(c.build.Graph.WorstFrom(n), *w))
	}
	return false
}

// grownPaths finds the entry whose deepest path has grown most, and new entries whose path is deeper than all that the
// baseline has from entries that are reached as they are.
func (c *checker) grownPaths(b Baseline) {
	forth, back := partners(b.Build, c.build, pairs(b.Build.Functions, c.build.Functions))
	deepest := deepestByReach(b.Build, c.limits.Entries)
	type growth struct {
		node  *callgraph.Node
		was   int
		bytes int
	}
	var grown []growth
	for _, change := range pathChanges(forth, back) {
		n := back.find(change.Function)
		if n == nil {
			continue
		}
		was := change.OldBytes
		if change.Kind == New {
			was = deepest[c.reach[place(n.Frame)]]
		}
		if change.Kind == Gone || change.NewBytes <= was+b.PathGrowthBytes {
			continue
		}
		if w := c.waiver(n.Frame, c.reach[place(n.Frame)], pathCeiling); w == nil || change.NewBytes > w.PathCeilingBytes {
			grown = append(grown, growth{n, was, change.NewBytes})
		}
	}
	if len(grown) == 0 {
		return
	}
	most := slices.MaxFunc(grown, func(x, y growth) int {
		return cmp.Or(cmp.Compare(x.bytes-x.was, y.bytes-y.was), cmp.Compare(x.bytes, y.bytes), frame.Compare(y.node.Frame, x.node.Frame))
	})
	c.findings = append(c.findings, pathGrown(c.build.Graph.WorstFrom(most.node), most.was, len(grown)-1))
}

// deepestByReach returns the bytes of the deepest path from the entries that are reached, and from those that are not.
func deepestByReach(b Build, entries []Entry) map[Reach]int {
	reach := reachOf(b, entries)
	deepest := make(map[Reach]int)
	for _, n := range b.Graph.Entries() {
		r := reach[place(n.Frame)]
		deepest[r] = max(deepest[r], b.Graph.DepthFrom(n))
	}
	return deepest
}
