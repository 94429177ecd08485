package prototype

import (
	"cmp"
	"math"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/framemap"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
	"github.com/kmodaudit/kmodaudit/stackcheck/x86"
)

// types tells what is known of an object's functions and variables.
type types interface {
	// function is the type of what begins at a place; nil if it is not known.
	function(object.Target) *ctype

	// variable is the type of what lies at a place, and the offset of the place in it; nil if it is not known.
	variable(object.Target) (t *ctype, offset int64)
}

// flow follows types through the code of one function.
type flow struct {
	types types
	file  *object.File
	spans []object.Span

	locals  []local          // in registers, or for a time, by where they begin to be there
	frame   map[int64]*ctype // of variables that are in the frame all the time, by offset; nil of two that differ
	before  []map[int]*state // by span: what is known where jumps lead, by offset
	work    []place
	visits  int
	pointer map[object.Address]*ctype // of each call through a pointer: what that leads to
}

// place is an offset in one of the spans.
type place struct{ span, at int }

// mostVisits bounds how often a piece of code is gone through, by its bytes: each time less is known than before.
const mostVisits = 64

// follow returns what the pointers of calls and jumps lead to, by the address of the instruction.
func follow(file *object.File, spans []object.Span, t *ctype, locals []local, known types) map[object.Address]*ctype {
	f := flow{
		types: known, file: file, spans: spans, pointer: make(map[object.Address]*ctype), frame: make(map[int64]*ctype),
	}
	for _, l := range locals[:min(len(locals), mostLocals)] {
		switch other, ok := f.frame[l.offset]; {
		case l.from > 0:
			f.locals = append(f.locals, l)
		case ok && (other == nil || other.text() != l.typ.text()):
			f.frame[l.offset] = nil
		default:
			f.frame[l.offset] = l.typ
		}
	}
	slices.SortStableFunc(f.locals, func(a, b local) int { return cmp.Compare(a.from, b.from) })
	total := 0
	for i := range spans {
		f.before = append(f.before, make(map[int]*state))
		total += len(spans[i].Code)
	}
	if len(spans) == 0 {
		return nil
	}
	for i := range spans {
		f.findTargets(i)
	}
	first := entryState(t)
	f.before[0][0] = &first
	f.work = append(f.work, place{0, 0})
	for len(f.work) > 0 && f.visits < mostVisits*total {
		next := f.work[len(f.work)-1]
		f.work = f.work[:len(f.work)-1]
		f.run(next)
	}
	if len(f.work) > 0 { // not all that is known there holds
		return nil
	}
	return f.pointer
}

// mostLocals bounds how many places of variables are known of one function.
const mostLocals = 1 << 14

// locate makes what the debug information says of a variable known, where the code does not tell it: the variable may have got what was no pointer to
// its type before.
func (s *state) locate(l *local) {
	v := pointerValue(l.typ)
	if l.register >= 0 {
		if !s.registers[l.register].isKnown() {
			s.registers[l.register] = v
		}
	} else if !s.read(l.offset).isKnown() {
		s.store(l.offset, pointerBytes, v)
	}
}

// entryState is what is known at a function's first instruction.
func entryState(t *ctype) state {
	s := state{lowest: math.MaxInt64}
	s.registers[rsp] = value{frame: true, offset: -8}
	if t == nil {
		return s
	}
	order := []int{rdi, rsi, rdx, rcx, 8, 9}
	above := int64(0) // of the next that lies in the caller's frame, from the CFA
	for _, parameter := range t.complete().members {
		size := max(parameter.typ.size, 1)
		words := int(min(size, mostElements)+pointerBytes-1) / pointerBytes
		if parameter.typ.kind == record && words > 2 || words > len(order) {
			s.store(above, pointerBytes, pointerValue(parameter.typ))
			above += int64(words) * pointerBytes
			continue
		}
		if words == 1 {
			s.registers[order[0]] = pointerValue(parameter.typ)
		}
		order = order[words:]
	}
	return s
}

// findTargets notes where jumps inside of the function lead.
func (f *flow) findTargets(span int) {
	s := &f.spans[span]
	for at := 0; at < len(s.Code); {
		i, ok := x86.Decode(s.Code[at:])
		if !ok {
			return
		}
		if i.IsRelative() && !i.IsPlain(0xe8) {
			if p, ok := f.placeOf(s.Target(at, i, i.Immediate, i.ImmediateBytes)); ok && f.before[p.span][p.at] == nil {
				f.before[p.span][p.at] = nil
			}
		}
		at += i.Size
	}
}

func (f *flow) placeOf(t object.Target) (p place, ok bool) {
	if t.Symbol != "" {
		return p, false
	}
	for i := range f.spans {
		if s := &f.spans[i]; s.Holds(t.Address) {
			return place{i, int(t.Offset - s.Start.Offset)}, true
		}
	}
	return p, false
}

// arrive notes what is known at a place where ways meet.
func (f *flow) arrive(p place, s *state) {
	known := f.before[p.span][p.at]
	if known == nil {
		c := s.clone()
		f.before[p.span][p.at] = &c
	} else if !known.meet(s) {
		return
	}
	if !slices.Contains(f.work, p) {
		f.work = append(f.work, p)
	}
}

// run goes through code from a place until it ends or meets another way.
func (f *flow) run(p place) {
	s := f.before[p.span][p.at].clone()
	span := &f.spans[p.span]
	start := framemap.AddressOf(f.file, span.Start)
	next := 0 // of the locals
	for ; next < len(f.locals) && f.locals[next].from < start+uint64(p.at); next++ {
		if l := &f.locals[next]; l.to > start+uint64(p.at) {
			s.locate(l)
		}
	}
	f.visits += next / 16
	for at := p.at; at < len(span.Code); {
		if at != p.at {
			if _, meets := f.before[p.span][at]; meets {
				f.arrive(place{p.span, at}, &s)
				return
			}
		}
		i, ok := x86.Decode(span.Code[at:])
		if !ok {
			return
		}
		f.visits += i.Size
		// What a call leaves is told of its last byte.
		for ; next < len(f.locals) && f.locals[next].from <= start+uint64(at); next++ {
			if l := &f.locals[next]; l.to > start+uint64(at) {
				s.locate(l)
			}
		}
		step := step{flow: f, state: &s, span: span, at: at, i: i, code: span.Code[at : at+i.Size]}
		if !step.do() {
			return
		}
		at += i.Size
	}
}
