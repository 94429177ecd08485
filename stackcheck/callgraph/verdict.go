package callgraph

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// A Verdict tells how far to trust a path's bytes. All its counts but the last two are zero when they are exact, as far as
// the files tell of calls: those in assembly are not in a .ci file. Otherwise the stack can get deeper, because of what
// is counted.
type Verdict struct {
	Indirect  int `json:"indirect,omitempty"`  // call sites through pointers: the callee is not known
	External  int `json:"external,omitempty"`  // functions that are called and that no unit defines
	Unsized   int `json:"unsized,omitempty"`   // functions that are defined but whose frame is not known
	Unread    int `json:"unread,omitempty"`    // functions whose code could not be read to the end: they may call more
	Dynamic   int `json:"dynamic,omitempty"`   // frames of kind dynamic: they grow at run time
	Cycles    int `json:"cycles,omitempty"`    // cycles: each is charged one turn, one of the kernel a chain
	Ambiguous int `json:"ambiguous,omitempty"` // calls of symbols that several units define: the largest frame was taken
	Matched   int `json:"matched,omitempty"`   // call sites through pointers that by the policy, BySlot or ByPrototype, lead to some functions

	Given int `json:"given,omitempty"` // external functions and cycles whose cost is given, and not known from their code
	Any   int `json:"any,omitempty"`   // call sites that by the policy AnyTaken lead to every function whose address is taken
}

// Exact reports whether the path's bytes are exact, and not only a lower bound, as far as what is given is right. With calls
// that may lead to any function, they are an upper bound.
func (v Verdict) Exact() bool {
	v.Given, v.Any = 0, 0
	return v == Verdict{}
}

// String returns "exact", or "lower bound: " and the counts that are not zero.
func (v Verdict) String() string {
	given := joined([]reason{
		{v.Given, "figure is given", "figures are given"},
		{v.Any, "call may lead to any function whose address is taken", "calls may lead to any function whose address is taken"},
	})
	switch {
	case v.Exact() && given == "":
		return "exact"
	case v.Exact() && v.Any > 0:
		return "upper bound: " + given
	case v.Exact():
		return "exact if right: " + given
	}
	because := joined([]reason{
		{v.Indirect, "indirect call", "indirect calls"},
		{v.Matched, "indirect call of matched functions", "indirect calls of matched functions"},
		{v.External, "external function", "external functions"},
		{v.Unsized, "function of unknown frame", "functions of unknown frame"},
		{v.Unread, "function whose code is not read to its end", "functions whose code is not read to their ends"},
		{v.Dynamic, "dynamic frame", "dynamic frames"},
		{v.Cycles, "cycle", "cycles"},
		{v.Ambiguous, "ambiguous call", "ambiguous calls"},
	})
	if given != "" {
		because += "; " + given
	}
	return "lower bound: " + because
}

type reason struct {
	count     int
	one, many string
}

func joined(reasons []reason) string {
	var all []string
	for _, r := range reasons {
		switch {
		case r.count == 1:
			all = append(all, "1 "+r.one)
		case r.count > 1:
			all = append(all, fmt.Sprintf("%d %s", r.count, r.many))
		}
	}
	return strings.Join(all, ", ")
}

func (v *Verdict) add(w Verdict) {
	v.Indirect += w.Indirect
	v.External += w.External
	v.Unsized += w.Unsized
	v.Unread += w.Unread
	v.Dynamic += w.Dynamic
	v.Cycles += w.Cycles
	v.Ambiguous += w.Ambiguous
	v.Matched += w.Matched
	v.Given += w.Given
	v.Any += w.Any
}

// verdict judges a part of the graph, marked by index.
func (g *Graph) verdict(a *analysis, part []bool) Verdict {
	var v Verdict
	for c, members := range a.components {
		for _, n := range members {
			if part[n.index] {
				v.add(n.verdict(a))
			}
		}
		if part[members[0].index] {
			v.add(g.verdictOfCycle(a, c))
		}
	}
	return v
}

func (n *Node) verdict(a *analysis) Verdict {
	v := Verdict{Indirect: len(n.Indirect) - n.matched - n.any, Matched: n.matched, Any: n.any}
	for i := range n.Calls {
		if n.Calls[i].Ambiguous && a.follows(&n.Calls[i]) {
			v.Ambiguous++
		}
	}
	if n.Partly {
		v.Unread++
	}
	switch {
	case n.Given:
		v.Given++
	case !n.Defined:
		v.External++
	case !n.Sized:
		v.Unsized++
	case n.Kind == frame.Dynamic:
		v.Dynamic++
	}
	return v
}

func (g *Graph) verdictOfCycle(a *analysis, component int) Verdict {
	if !a.depths[component].cycle {
		return Verdict{}
	}
	if _, given := g.turnsOf(a.components[component]); given {
		return Verdict{Given: 1}
	}
	return Verdict{Cycles: 1}
}

// Verdicts returns the verdicts of the deepest paths from nodes: those of WorstFrom, without looking for the paths.
// It looks at all calls once for 64 of the nodes.
func (g *Graph) Verdicts(from []*Node) []Verdict {
	a := g.stays
	own := make([]Verdict, len(a.components))
	for c, members := range a.components {
		for _, n := range members {
			own[c].add(n.verdict(a))
		}
		own[c].add(g.verdictOfCycle(a, c))
	}
	verdicts := make([]Verdict, len(from))
	for first := 0; first < len(from); first += 64 {
		block := from[first:min(first+64, len(from))]
		reached := make([]uint64, len(a.components)) // from which of the block
		for i, n := range block {
			reached[a.of(n)] |= 1 << i
		}
		for c := len(a.components) - 1; c >= 0; c-- {
			if reached[c] == 0 {
				continue
			}
			for _, n := range a.components[c] {
				callees(a, n, func(callee *Node) { reached[a.of(callee)] |= reached[c] })
			}
			if own[c] == (Verdict{}) {
				continue
			}
			for left := reached[c]; left != 0; left &= left - 1 {
				verdicts[first+bits.TrailingZeros64(left)].add(own[c])
			}
		}
	}
	return verdicts
}
