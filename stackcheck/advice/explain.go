package advice

import (
	"cmp"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/framemap"
)

// An Explanation says what one frame is made of.
type Explanation struct {
	Frames []frame.Frame `json:"frames"` // one of a source, the best first

	// Contents is what debug information tells of the frame, nil without any; Elsewhere is then what calls tell.
	Contents  *Contents   `json:"contents,omitempty"`
	Elsewhere []Elsewhere `json:"elsewhere,omitempty"`

	Path callgraph.Path `json:"path"` // the deepest through the function
	Step int            `json:"step"` // of the path, that of the function
}

// Contents is what lies in a frame.
type Contents struct {
	Bytes     Shares             `json:"bytes"`
	Variables []Variable         `json:"variables"` // the largest first
	Inlined   []framemap.Inlined `json:"inlined"`   // those with most marginal bytes first
	Scopes    *framemap.Scope    `json:"scopes"`    // the same as a tree, with the positions of calls
	Compiler  string             `json:"compiler,omitempty"`
}

// Shares are what a frame is made of. They add up to it.
type Shares struct {
	Own     int `json:"own"`            // of the function's own variables
	Inlined int `json:"inlined"`        // of variables of inlined functions, where no own one lies
	Return  int `json:"return_address"` // 0 where the call instruction pushes none
	Rest    int `json:"rest"`           // saved registers, pushed arguments, spills and temporaries without a name, alignment
}

// A Variable is one of a frame.
type Variable struct {
	framemap.Variable
	From          string `json:"from,omitempty"` // the inlined function that it is of; empty for the function's own
	MarginalBytes int    `json:"marginal_bytes"` // that no other variable covers
}

// Explain says what the frame of a function is made of.
func Explain(b stackcheck.Build, maps Maps, n *callgraph.Node) Explanation {
	e := Explanation{Frames: framesOf(b, n), Path: b.Graph.WorstThrough(n)}
	e.Step = slices.IndexFunc(e.Path.Steps, func(s callgraph.Step) bool { return isStepOf(s, n) })
	m := maps.Of(n)
	if m == nil {
		e.Elsewhere = elsewhere(b, n)
		return e
	}
	e.Contents = &Contents{Bytes: shares(m, e.Frames[0]), Variables: variables(m), Inlined: m.InlinedFunctions(), Scopes: &m.Scope, Compiler: m.Compiler}
	return e
}

// isStepOf reports whether a step is of the function: itself, or a cycle that it is in.
func isStepOf(s callgraph.Step, n *callgraph.Node) bool {
	return s.Frame == n.Frame || slices.Contains(s.Cycle, n.Frame)
}

func shares(m *framemap.Map, f frame.Frame) Shares {
	covered := min(framemap.Bytes(m.Covered(nil)), f.Bytes)
	s := Shares{Own: min(framemap.Bytes(m.Own()), covered), Return: min(frame.ReturnAddressBytes, f.Bytes-covered)}
	s.Inlined = covered - s.Own
	s.Rest = f.Bytes - covered - s.Return
	return s
}

// variables returns those of all scopes; one of a function that was inlined several times is one.
func variables(m *framemap.Map) []Variable {
	type key struct {
		name, from string
		place      framemap.Position
	}
	var all []*Variable
	known := make(map[key]*Variable)
	m.Walk(func(chain []*framemap.Scope) bool {
		s, from := chain[len(chain)-1], ""
		if len(chain) > 1 {
			from = s.Function
		}
		for _, v := range s.Variables {
			same := key{v.Name, from, v.Place}
			if one := known[same]; one != nil {
				one.Spans = append(one.Spans[:len(one.Spans):len(one.Spans)], v.Spans...)
				one.Bytes = framemap.Bytes(one.Spans)
				continue
			}
			known[same] = &Variable{Variable: v, From: from}
			all = append(all, known[same])
		}
		return true
	})
	spans := make([][]framemap.Span, len(all))
	for i, v := range all {
		spans[i] = v.Spans
	}
	found := make([]Variable, len(all))
	for i, marginal := range framemap.MarginalBytes(spans) {
		all[i].MarginalBytes = marginal
		found[i] = *all[i]
	}
	slices.SortStableFunc(found, func(a, b Variable) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.MarginalBytes, a.MarginalBytes))
	})
	return found
}
