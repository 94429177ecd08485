package prototype

import "slices"

// value is what a register or a place in the frame holds, as far as it is a pointer that is known: to a type, or into the frame. The
// zero value is not known.
type value struct {
	to     *ctype // what it points to
	offset int64  // of the place in it; in the frame, from the canonical frame address
	frame  bool
}

func (v value) isKnown() bool { return v.to != nil || v.frame }

// plus is the value with a number added to it.
func (v value) plus(n int64) value {
	if v.isKnown() {
		v.offset += n
	}
	return v
}

// same reports whether two values are of one type and place.
func (v value) same(w value) bool {
	if v.frame != w.frame || v.offset != w.offset || (v.to == nil) != (w.to == nil) {
		return false
	}
	return v.to == w.to || v.to.text() == w.to.text()
}

// pointerValue is what a variable of a pointer type holds.
func pointerValue(t *ctype) value {
	if t == nil || t.kind != pointer {
		return value{}
	}
	to := t.pointee()
	if to == void {
		return value{}
	}
	return value{to: to}
}

// load is what is read from where a pointer leads. An index that is multiplied goes through the elements of an array; one that is not
// has been multiplied by the size of what the pointer leads to. A scale of 0 is no index.
func (v value) load(scale int) value {
	if v.to == nil {
		return value{}
	}
	t, inArray := v.to.at(v.offset, 0)
	if scale > 1 && !inArray && v.to.kind != pointer {
		return value{}
	}
	return pointerValue(t)
}

// Registers of x86-64, by their numbers.
const (
	rax = 0
	rcx = 1
	rdx = 2
	rsp = 4
	rbp = 5
	rsi = 6
	rdi = 7
)

const registers = 16

// state is what is known before an instruction.
type state struct {
	registers [registers]value
	slots     []slot // of the frame, by offset
	lowest    int64  // offset of the lowest place in the frame whose address is in a register or was; see call
}

// slot is what is stored in the frame.
type slot struct {
	offset int64
	value
}

// mostSlots bounds how much of a frame is known.
const mostSlots = 64

func (s *state) clone() state {
	c := *s
	c.slots = slices.Clone(s.slots)
	return c
}

func (s *state) slotAt(offset int64) (i int, ok bool) {
	return slices.BinarySearchFunc(s.slots, offset, func(each slot, offset int64) int {
		switch {
		case each.offset < offset:
			return -1
		case each.offset > offset:
			return 1
		}
		return 0
	})
}

// store puts a value into so many bytes of the frame. One of less than a pointer is not known.
func (s *state) store(offset, bytes int64, v value) {
	s.slots = slices.DeleteFunc(s.slots, func(each slot) bool { return offset-pointerBytes < each.offset && each.offset < offset+bytes })
	if i, _ := s.slotAt(offset); v.isKnown() && bytes == pointerBytes && len(s.slots) < mostSlots {
		s.slots = slices.Insert(s.slots, i, slot{offset, v})
	}
}

// read is what the frame holds at an offset.
func (s *state) read(offset int64) value {
	if i, ok := s.slotAt(offset); ok {
		return s.slots[i].value
	}
	return value{}
}

// escape notes that an address in the frame is known elsewhere.
func (s *state) escape(offset int64) { s.lowest = min(s.lowest, offset) }

// call forgets what a call may change.
func (s *state) call() {
	for _, r := range [...]int{rax, rcx, rdx, rsi, rdi, 8, 9, 10, 11} {
		s.registers[r] = value{}
	}
	s.slots = slices.DeleteFunc(s.slots, func(each slot) bool { return each.offset >= s.lowest })
}

// meet leaves what is known in both states, and reports whether that is less than there was in s.
func (s *state) meet(other *state) (changed bool) {
	for r := range s.registers {
		if v := &s.registers[r]; v.isKnown() && !v.same(other.registers[r]) {
			*v, changed = value{}, true
		}
	}
	before := len(s.slots)
	s.slots = slices.DeleteFunc(s.slots, func(each slot) bool { return !each.same(other.read(each.offset)) })
	if other.lowest < s.lowest {
		s.lowest, changed = other.lowest, true
	}
	return changed || len(s.slots) < before
}
