package callgraph

import (
	"fmt"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// A Verdict tells how far to trust a path's bytes. All its counts are zero when they are exact, as far as the compiler
// saw the code: calls in assembly are not in a .ci file. Otherwise the stack can get deeper, because of what is counted.
type Verdict struct {
	Indirect  int `json:"indirect,omitempty"`  // call sites through pointers: the callee is not known
	External  int `json:"external,omitempty"`  // functions that are called and that no unit defines
	Unsized   int `json:"unsized,omitempty"`   // functions that are defined but whose frame is not known
	Dynamic   int `json:"dynamic,omitempty"`   // frames of kind dynamic: they grow at run time
	Cycles    int `json:"cycles,omitempty"`    // cycles: each is charged one turn
	Ambiguous int `json:"ambiguous,omitempty"` // calls of symbols that several units define: the largest frame was taken
}

// Exact reports whether the path's bytes are exact, and not only a lower bound.
func (v Verdict) Exact() bool { return v == Verdict{} }

// String returns "exact", or "lower bound: " and the counts that are not zero.
func (v Verdict) String() string {
	if v.Exact() {
		return "exact"
	}
	var because []string
	for _, reason := range []struct {
		count     int
		one, many string
	}{
		{v.Indirect, "indirect call", "indirect calls"},
		{v.External, "external function", "external functions"},
		{v.Unsized, "function of unknown frame", "functions of unknown frame"},
		{v.Dynamic, "dynamic frame", "dynamic frames"},
		{v.Cycles, "cycle", "cycles"},
		{v.Ambiguous, "ambiguous call", "ambiguous calls"},
	} {
		switch {
		case reason.count == 1:
			because = append(because, "1 "+reason.one)
		case reason.count > 1:
			because = append(because, fmt.Sprintf("%d %s", reason.count, reason.many))
		}
	}
	return "lower bound: " + strings.Join(because, ", ")
}

// verdict judges a part of the graph, marked by index.
func (g *Graph) verdict(part []bool) Verdict {
	var v Verdict
	for i, n := range g.Nodes {
		if !part[i] {
			continue
		}
		v.Indirect += len(n.Indirect)
		for _, call := range n.Calls {
			if call.Ambiguous {
				v.Ambiguous++
			}
		}
		switch {
		case !n.Defined:
			v.External++
		case !n.Sized:
			v.Unsized++
		case n.Kind == frame.Dynamic:
			v.Dynamic++
		}
	}
	for _, members := range g.components {
		if part[members[0].index] && recurses(members) {
			v.Cycles++
		}
	}
	return v
}
