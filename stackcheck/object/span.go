package object

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/x86"
)

// A Span is a piece of code, for readers that go through it in their own order.
type Span struct {
	Extent
	Code []byte

	walk walk
	all  []relocation
}

// Spans returns a function's code: what begins where it does, and its cold parts. Pieces that no section has are left out.
func (c *Code) Spans(fn *Function) []Span {
	var spans []Span
	for _, part := range append([]Extent{{fn.Start, fn.Size}}, fn.Cold...) {
		s, from := c.at(part.Start)
		if s == nil {
			continue
		}
		to := from + min(part.Size, uint64(len(s.data))-from)
		if !c.takes(to - from) {
			continue
		}
		spans = append(spans, Span{
			Extent: Extent{part.Start, to - from}, Code: s.data[from:to], all: s.relocations,
			walk: walk{code: c, section: s, fn: fn, start: part.Start, from: from},
		})
	}
	return spans
}

// Target returns what a field of an instruction of x86-64 refers to: by its distance from the end of the instruction, or by a relocation.
func (s *Span) Target(at int, i x86.Instruction, field, bytes int) Target {
	s.seek(at + field)
	if r := s.walk.relocation(at + field); r != nil && isOfTable(r.kind) {
		return Target{Symbol: unnamed}
	}
	s.seek(at + field)
	return s.walk.x86Target(s.Code, at, field, bytes, i.Size)
}

// A Branch is what an instruction of aarch64 does that leads to a place that it names.
type Branch uint8

const (
	BranchAlways   Branch = iota // B
	BranchIf                     // B.cond, CBZ, TBZ and others: or to the next instruction
	BranchWithLink               // BL: a call
)

// TargetARM64 returns where the instruction of aarch64 at an offset leads, if it names that.
func (s *Span) TargetARM64(at int) (Branch, Target, bool) {
	s.seek(at)
	return s.walk.arm64Branch(at, binary.LittleEndian.Uint32(s.Code[at:]))
}

// Named returns the place that a relocation puts into a field of an instruction; in an object that is linked, the number that is there is the place.
func (s *Span) Named(at, field, bytes int) (Target, bool) {
	s.seek(at + field)
	if r := s.walk.relocation(at + field); r != nil {
		return s.walk.target(r, 0), true
	}
	if s.walk.code.file.Linked && bytes >= 4 {
		return Target{Address: Address{Offset: uint64(x86.Signed(s.Code[at+field:][:bytes]))}}, true
	}
	return Target{}, false
}

// isOfTable reports whether a field refers to an entry of the table of addresses (GOT) that the linker makes, in place of what is at the address.
func isOfTable(kind uint32) bool {
	switch elf.R_X86_64(kind) {
	case elf.R_X86_64_GOTPCREL, elf.R_X86_64_GOTPCRELX, elf.R_X86_64_REX_GOTPCRELX:
		return true
	}
	return false
}

// seek makes a field the next whose relocation can be asked for.
func (s *Span) seek(field int) {
	first, _ := slices.BinarySearchFunc(s.all, s.walk.from+uint64(field), func(r relocation, field uint64) int { return cmp.Compare(r.field, field) })
	s.walk.relocations = s.all[first:]
}

// Thunk reports whether a target calls, or jumps to, what a register holds, as retpolines do; and which register that is, or -1.
func (f *File) Thunk(t Target) (register int, ok bool) { return f.thunk(t) }
