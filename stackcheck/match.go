package stackcheck

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// A pair is one function in two builds. Old or New is nil when the other has no counterpart.
type pair struct{ Old, New *Function }

// pairs finds the functions of one build in another: first those that nothing tells apart, then those whose lines
// have moved, that are in another object or file, or that another compiler made another clone of. What is found by a name
// alone must be the only function of that name on both sides. Pairs are in the order of the new build; then come the
// functions that are only in the old one.
func pairs(before, after []Function) []pair {
	m := matching{of: make([]*Function, len(after)), taken: make([]bool, len(before)), before: before, after: after}
	for _, rule := range []struct {
		identity func(frame.Frame) string
		unique   bool
	}{
		{byPlace, false},
		{byObject, false},
		{bySource, false},
		{byCloneInObject, false},
		{byCloneInSource, false},
		{byFileNameInObject, false},
		{byFileName, true},
		{bySymbol, true},
		{byCloneAnywhere, true},
	} {
		if !rule.unique {
			m.match(func(f frame.Frame) string { return rule.identity(f) + "\x00" + strconv.Itoa(f.Bytes) }, false)
		}
		m.match(rule.identity, rule.unique)
	}
	var all []pair
	for i := range after {
		all = append(all, pair{m.of[i], &after[i]})
	}
	for i := range before {
		if !m.taken[i] {
			all = append(all, pair{Old: &before[i]})
		}
	}
	return all
}

// Identities of a function, each with less of what can change than the one before.
func byPlace(f frame.Frame) string {
	return fmt.Sprintf("%s\x00%s:%d:%d", byObject(f), f.Symbol, f.Line, f.Column)
}
func byObject(f frame.Frame) string        { return f.Object + "\x00" + bySource(f) }
func bySource(f frame.Frame) string        { return f.File + "\x00" + canonical(f.Function) }
func byCloneInObject(f frame.Frame) string { return f.Object + "\x00" + byCloneInSource(f) }
func byCloneInSource(f frame.Frame) string { return f.File + "\x00" + piece(f.Function) }
func byFileNameInObject(f frame.Frame) string { // a header of another kernel, which lies elsewhere
	return f.Object + "\x00" + byFileName(f)
}
func byFileName(f frame.Frame) string      { return path.Base(f.File) + "\x00" + canonical(f.Function) }
func bySymbol(f frame.Frame) string        { return canonical(f.Function) }
func byCloneAnywhere(f frame.Frame) string { return piece(f.Function) }

// piece returns the base name, marked if it is not the whole function: gcc splits f.part off what remains as f.
func piece(function string) string {
	base := frame.BaseName(function)
	if strings.Contains(function[len(base):], ".part") {
		return base + ".part"
	}
	return base
}

type matching struct {
	before, after []Function
	of            []*Function // counterparts of after
	taken         []bool      // of before
}

func (m *matching) match(identity func(frame.Frame) string, unique bool) {
	index := make(map[string][]int)
	for i := range m.before {
		if !m.taken[i] {
			key := identity(m.before[i].Frames[0])
			index[key] = append(index[key], i)
		}
	}
	if len(index) == 0 {
		return
	}
	wanted := make(map[string]int)
	for i := range m.after {
		if m.of[i] == nil {
			wanted[identity(m.after[i].Frames[0])]++
		}
	}
	for i := range m.after {
		if m.of[i] != nil {
			continue
		}
		key := identity(m.after[i].Frames[0])
		candidates := index[key]
		if len(candidates) == 0 || unique && (len(candidates) > 1 || wanted[key] > 1) {
			continue
		}
		m.of[i], m.taken[candidates[0]] = &m.before[candidates[0]], true
		index[key] = candidates[1:]
	}
}

// comparable returns the frames of both by the best source that both have; ok is false when they have none in common.
func (p pair) comparable() (before, after frame.Frame, ok bool) {
	for _, source := range Sources {
		if x, y := p.Old.From(source), p.New.From(source); x != nil && y != nil {
			return *x, *y, true
		}
	}
	return p.Old.Frames[0], p.New.Frames[0], false
}
