package framemap

import (
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// A Map tells what lies in the frame of one function.
type Map struct {
	Symbol   string         // of its code
	Address  object.Address // of its code
	Compiler string         // and its flags, as the unit tells
	Scope                   // its own body
}

// A Scope is the body of a function, or of one that was inlined.
type Scope struct {
	Function  string     `json:"function"`            // as the source calls it
	Place     Position   `json:"place,omitzero"`      // where it is declared
	Site      Position   `json:"site,omitzero"`       // of the call that was inlined
	Local     bool       `json:"local,omitempty"`     // no other unit can call it
	Variables []Variable `json:"variables,omitempty"` // those that lie in the frame
	Calls     []Call     `json:"calls,omitempty"`     // that are left in it
	Inlined   []*Scope   `json:"inlined,omitempty"`
}

// A Variable lies in a frame. Parameters are variables too.
type Variable struct {
	Name  string   `json:"name"`
	Type  string   `json:"type,omitempty"`
	Bytes int      `json:"bytes"` // of its spans
	Place Position `json:"place,omitzero"`
	Spans []Span   `json:"spans"`
}

// A Call is a call instruction. The callee has no name when the call is through a pointer.
type Call struct {
	Callee string `json:"callee,omitempty"`
	Tail   bool   `json:"tail,omitempty"`
}

// A Position is a place in a source file, as the compiler was given it.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// Walk visits a scope and all that is inlined into it, callers first, with the chain of scopes that leads to each: the last one
// is itself. It goes no deeper where visit returns false.
func (s *Scope) Walk(visit func(chain []*Scope) bool) { s.walk(nil, visit) }

func (s *Scope) walk(above []*Scope, visit func(chain []*Scope) bool) {
	chain := append(above[:len(above):len(above)], s)
	if !visit(chain) {
		return
	}
	for _, inlined := range s.Inlined {
		inlined.walk(chain, visit)
	}
}

// Own returns the spans of the scope's variables, without those of what is inlined into it.
func (s *Scope) Own() []Span {
	var spans []Span
	for _, v := range s.Variables {
		spans = append(spans, v.Spans...)
	}
	return spans
}

// Covered returns the spans of all variables of the scope and of what is inlined into it, but for the scopes that without,
// which may be nil, tells; and for what is inlined into these.
func (s *Scope) Covered(without func(*Scope) bool) []Span {
	var spans []Span
	s.Walk(func(chain []*Scope) bool {
		last := chain[len(chain)-1]
		if without != nil && without(last) {
			return false
		}
		spans = append(spans, last.Own()...)
		return true
	})
	return spans
}

// An Inlined is a function that was inlined, at all places of a Map together.
type Inlined struct {
	Function string     `json:"function"`
	Place    Position   `json:"place,omitzero"` // where it is declared
	Local    bool       `json:"local,omitempty"`
	Sites    []Position `json:"sites"` // of the calls that were inlined
	Into     []string   `json:"into"`  // the functions whose bodies have these, each once

	OwnBytes      int `json:"own_bytes"`      // of its own variables
	Bytes         int `json:"bytes"`          // with those of what is inlined into it
	MarginalBytes int `json:"marginal_bytes"` // of Bytes, those that nothing else covers

	scopes []*Scope
}

// SharedBytes returns how many of the function's bytes something else covers too.
func (i *Inlined) SharedBytes() int { return i.Bytes - i.MarginalBytes }

// Scopes returns the function's bodies that are not within one another.
func (i *Inlined) Scopes() []*Scope { return i.scopes }

// Is reports whether a scope is a body of the function.
func (i *Inlined) Is(s *Scope) bool { return s.Function == i.Function && s.Place == i.Place }

// Same reports whether another is the same function, in another map.
func (i *Inlined) Same(other Inlined) bool {
	return i.Function == other.Function && i.Place == other.Place
}

// InlinedFunctions returns the functions that were inlined into the map's, those with most marginal bytes first, then with most
// bytes, then in the order in which they stand in the debug information.
func (m *Map) InlinedFunctions() []Inlined {
	type identity struct {
		function string
		place    Position
	}
	var all []*Inlined
	known := make(map[identity]*Inlined)
	own := make(map[*Inlined][]Span)
	m.Walk(func(chain []*Scope) bool {
		if len(chain) == 1 {
			return true
		}
		s, caller := chain[len(chain)-1], chain[len(chain)-2]
		key := identity{s.Function, s.Place}
		i := known[key]
		if i == nil {
			i = &Inlined{Function: s.Function, Place: s.Place, Local: s.Local}
			known[key] = i
			all = append(all, i)
		}
		i.Sites = append(i.Sites, s.Site)
		if !slices.Contains(i.Into, caller.Function) {
			i.Into = append(i.Into, caller.Function)
		}
		own[i] = append(own[i], s.Own()...)
		if !slices.ContainsFunc(chain[:len(chain)-1], i.Is) {
			i.scopes = append(i.scopes, s)
		}
		return true
	})
	covered := Bytes(m.Covered(nil))
	found := make([]Inlined, len(all))
	for n, i := range all {
		var spans []Span
		for _, s := range i.scopes {
			spans = append(spans, s.Covered(nil)...)
		}
		i.OwnBytes, i.Bytes = Bytes(own[i]), Bytes(spans)
		if i.Bytes > 0 {
			i.MarginalBytes = covered - Bytes(m.Covered(i.Is))
		}
		found[n] = *i
	}
	slices.SortStableFunc(found, func(a, b Inlined) int {
		if a.MarginalBytes != b.MarginalBytes {
			return b.MarginalBytes - a.MarginalBytes
		}
		return b.Bytes - a.Bytes
	})
	return found
}
