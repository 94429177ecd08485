package stackcheck

import (
	"errors"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// Check compares a build with limits. Findings come in this order: frames, in the order of the build; paths; waivers,
// limits and entries, in the order of the configuration. Of a frame there is one finding, the first that applies in the order
// of FindingKinds. Check fails when the limits are not valid, and when they need a call graph that the build does
// not have; frames are checked all the same then.
func Check(b Build, l Limits) ([]Finding, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	c := checker{
		build: b, limits: l,
		used: make([]bool, len(l.Waivers)), limited: make([]bool, len(l.Particular)),
	}
	var err error
	switch {
	case b.Graph != nil:
		c.reach = reachOf(b, l.Entries)
	case l.needsGraph():
		err = errors.New("checking stack paths: the build has no call graph (.ci), nor code of x86-64 or aarch64;" +
			" build with gcc 10 or later and KCFLAGS='-fstack-usage -fcallgraph-info=su,da', or remove what is said of paths and entries, and the baseline's call graph")
	}
	c.frames()
	if b.Graph != nil {
		c.paths()
	}
	if err == nil {
		c.configuration()
	}
	return c.findings, err
}

type checker struct {
	build    Build
	limits   Limits
	reach    map[string]Reach // by place; nil without call graph
	used     []bool           // waivers
	limited  []bool           // particular limits that are about a function
	findings []Finding
}

func (c *checker) frames() {
	before := make(map[*Function]pair)
	if c.limits.Baseline != nil {
		for _, p := range pairs(c.limits.Baseline.Build.Functions, c.build.Functions) {
			before[p.New] = p
		}
	}
	for i := range c.build.Functions {
		fn := &c.build.Functions[i]
		f := fn.Frames[0]
		kind, limit, was := c.judge(f, before[fn])
		if kind == "" {
			continue
		}
		reach := c.reach[place(f)]
		switch w := c.waiver(f, reach, func(w Waiver) int { return w.CeilingBytes }); {
		case w == nil:
			c.findings = append(c.findings, frameFinding(kind, f, limit, was, reach))
		case f.Bytes > w.CeilingBytes:
			c.findings = append(c.findings, frameAboveCeiling(f, *w, was, reach))
		}
	}
}

// judge returns what is to be said of a frame, before waivers are looked at.
func (c *checker) judge(f frame.Frame, p pair) (kind FindingKind, limit, was int) {
	limit = c.limitOf(f, c.limits.FrameBytes, func(l Limit) int { return l.FrameBytes })
	if p.New != nil && p.Old != nil {
		before, _, _ := p.comparable()
		was = before.Bytes
	}
	switch {
	case f.Bytes > limit:
		return FrameAboveLimit, limit, was
	case f.Kind == frame.Dynamic && f.Source != frame.SourceORC && f.Source != frame.SourceCode: // which only say that they could not tell more
		return FrameUnbounded, 0, was
	case p.New == nil: // no baseline
		return "", 0, 0
	case p.Old == nil && f.Bytes >= c.limits.Baseline.NewFrameBytes:
		return FrameNew, c.limits.Baseline.NewFrameBytes, 0
	case p.Old != nil:
		before, after, _ := p.comparable()
		if allowed := before.Bytes + c.limits.Baseline.FrameGrowthBytes; after.Bytes > allowed {
			return FrameGrown, allowed, f.Bytes - (after.Bytes - before.Bytes)
		}
	}
	return "", 0, 0
}

// limitOf returns the limit of a function: that of the first particular one that has one, or the general one.
func (c *checker) limitOf(f frame.Frame, general int, bytes func(Limit) int) int {
	for i, l := range c.limits.Particular {
		if bytes(l) > 0 && l.matches(f) {
			c.limited[i] = true
			return bytes(l)
		}
	}
	return general
}

// waiver returns the one that lets a function pass, or nil. Of several that match, the one with the highest ceiling counts.
func (c *checker) waiver(f frame.Frame, reach Reach, ceiling func(Waiver) int) *Waiver {
	var widest *Waiver
	for i, w := range c.limits.Waivers {
		if ceiling(w) == 0 || w.Unreached && reach != Unreached || !w.matches(f) {
			continue
		}
		c.used[i] = true
		if widest == nil || ceiling(w) > ceiling(*widest) {
			widest = &w
		}
	}
	return widest
}

// configuration finds what is configured and is about nothing, or should be looked at again.
func (c *checker) configuration() {
	for i, w := range c.limits.Waivers {
		switch {
		case !c.used[i]:
			c.findings = append(c.findings, waiverUnused(w))
		case w.Expires != "" && w.Expires < c.limits.Today:
			c.findings = append(c.findings, waiverExpired(w))
		}
	}
	for i, l := range c.limits.Particular {
		if !c.limited[i] {
			c.findings = append(c.findings, targetUnused("limit", l.Target))
		}
	}
	for _, cycle := range c.limits.Cycles {
		if slices.Contains(c.build.Graph.Stale.Turns, cycle.Function) {
			c.findings = append(c.findings, cycleUnused(cycle))
		}
	}
	for _, e := range c.limits.Externals {
		if slices.Contains(c.build.Graph.Stale.External, e.Function) {
			c.findings = append(c.findings, targetUnused("figure", e.Target))
		}
	}
	for _, e := range c.limits.Entries {
		if !c.isAboutAny(e.Target) {
			c.findings = append(c.findings, targetUnused("entry", e.Target))
		}
	}
}

func (c *checker) isAboutAny(t Target) bool {
	for _, n := range c.build.Graph.Nodes {
		if n.Defined && t.matches(n.Frame) {
			return true
		}
	}
	return false
}
