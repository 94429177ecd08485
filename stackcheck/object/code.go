package object

import (
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
)

// A Reference is an instruction that leads to code, or tells where something is.
type Reference struct {
	At     Address // of the instruction
	Kind   ReferenceKind
	Target Target // of Call, Jump, Take
	Slot   Slot   // of CallPointer, JumpPointer
}

// A ReferenceKind tells what an instruction does with its target.
type ReferenceKind uint8

const (
	Call        ReferenceKind = iota // it comes back to the next instruction
	Jump                             // it leaves the function
	CallPointer                      // a call of what a register or memory holds, by a retpoline too
	JumpPointer                      // the same as a jump; also one by the table of a switch, unless the instruction tells
	Take                             // the address goes into a register, or into memory
)

// A Target is a place that an instruction names: an address, or one whose offset counts from a symbol that the object does not define.
type Target struct {
	Symbol string
	Address
}

// A Slot tells where the pointer of a call comes from, as far as the instructions right before it tell.
type Slot struct {
	Known  bool
	Fixed  bool   // the place is Target; otherwise the pointer is at Offset in what a register points at
	Target Target // of a fixed place
	Offset int64  // in bytes
}

// ErrMachine is the error of code that is not read.
var ErrMachine = errors.New("calls are read from code of x86-64 and aarch64 only")

// Code is the machine code of an object.
type Code struct {
	file     *File
	sections []codeSection
	left     atomic.Int64 // bytes that may still be looked at: symbols of a damaged file may all claim all of the code
}

// takes reports whether so many bytes more may be looked at.
func (c *Code) takes(n uint64) bool { return c.left.Add(-int64(n)) >= 0 }

// mostReadings is how often all of the code is looked at, at most, because functions overlap.
const mostReadings = 4

// A codeSection is code of a section that lies together, mostly all of it.
type codeSection struct {
	*Section
	first       uint64 // offset in the section
	data        []byte
	relocations []relocation // by field, which counts from first
}

// ReadCode reads the sections that have code, and their relocations.
func (f *File) ReadCode() (*Code, error) {
	return f.readCode(func(s *Section) []span { return []span{{0, s.Size}} })
}

// ReadCodeOf reads what ReadCode does, but only of some parts, and what lies between them where that is less than to read them one by one.
func (f *File) ReadCodeOf(parts []Extent) (*Code, error) {
	return f.readCode(func(s *Section) (spans []span) {
		for _, p := range parts {
			first := p.Start.Offset
			if f.Linked {
				first -= s.Addr
			} else if p.Start.Section != s.Index {
				continue
			}
			if first < s.Size {
				spans = append(spans, span{first, first + min(p.Size, s.Size-first)})
			}
		}
		return mergeSpans(spans)
	})
}

// A span is a part of a section, from one offset up to another.
type span struct{ first, end uint64 }

func mergeSpans(spans []span) (merged []span) {
	const gap = 16 << 10
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	for _, s := range spans {
		if n := len(merged); n > 0 && s.first <= merged[n-1].end+gap {
			merged[n-1].end = max(merged[n-1].end, s.end)
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

func (f *File) readCode(spansOf func(*Section) []span) (*Code, error) {
	if f.Machine != elf.EM_X86_64 && f.Machine != elf.EM_AARCH64 {
		return nil, fmt.Errorf("%s: %v: %w", f.Name, f.Machine, ErrMachine)
	}
	c := &Code{file: f}
	for i := range f.Sections {
		s := &f.Sections[i]
		if elf.SectionFlag(s.Flags)&elf.SHF_EXECINSTR == 0 || elf.SectionType(s.Type) != elf.SHT_PROGBITS || s.Size == 0 {
			continue
		}
		if err := f.Has(s); err != nil {
			return nil, err
		}
		read := len(c.sections)
		for _, p := range spansOf(s) {
			data, err := f.read(s.Off+p.first, p.end-p.first)
			if err != nil {
				return nil, f.inSection(s, err)
			}
			c.sections = append(c.sections, codeSection{Section: s, first: p.first, data: data})
			c.left.Add(mostReadings * int64(len(data)))
		}
		if err := f.readRelocations(s, c.sections[read:]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// readRelocations reads those of parts of one section, which are in order.
func (f *File) readRelocations(s *Section, parts []codeSection) error {
	if f.Linked || len(parts) == 0 {
		return nil
	}
	announce := func(n int) {
		if uint64(len(parts[0].data)) == s.Size {
			parts[0].relocations = slices.Grow(parts[0].relocations, n)
		}
	}
	now := &parts[0]
	var gap span // in which no part is
	err := f.relocationPieces(s, announce, func(first int, piece []byte) error {
		for i := 0; i < len(piece); i += relocationBytes {
			field := f.uint64(piece[i:])
			if field >= gap.first && field < gap.end {
				continue
			}
			if field-now.first >= uint64(len(now.data)) { // of another part, or of none
				n, found := slices.BinarySearchFunc(parts, field, func(p codeSection, field uint64) int { return cmp.Compare(p.first, field) })
				if !found {
					n--
				}
				if n < 0 || field-parts[n].first >= uint64(len(parts[n].data)) {
					gap = gapBehind(parts, n)
					continue
				}
				now = &parts[n]
			}
			one, err := f.relocation(piece[i:])
			if err != nil {
				return fmt.Errorf("relocation %d: %w", first+i/relocationBytes, err)
			}
			one.field -= now.first
			now.relocations = append(now.relocations, one)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range parts {
		byField := func(a, b relocation) int { return cmp.Compare(a.field, b.field) }
		if all := parts[i].relocations; !slices.IsSortedFunc(all, byField) {
			slices.SortStableFunc(all, byField)
		}
	}
	return nil
}

// gapBehind returns what lies between a part and the next; -1 is before all.
func gapBehind(parts []codeSection, n int) span {
	gap := span{0, math.MaxUint64}
	if n >= 0 {
		gap.first = parts[n].first + uint64(len(parts[n].data))
	}
	if n+1 < len(parts) {
		gap.end = parts[n+1].first
	}
	return gap
}

// References calls visit for what a function's code refers to, cold parts included, in the order of the code. It reads
// code from the function's first byte on, as the processor does, and jumps inside of the function are not told. It reports
// whether all was understood: what follows data among the instructions is not. Each function should be asked for once.
func (c *Code) References(fn *Function, visit func(Reference)) (whole bool) {
	whole = c.referencesOf(fn, Extent{fn.Start, fn.Size}, visit)
	for _, part := range fn.Cold {
		whole = c.referencesOf(fn, part, visit) && whole
	}
	return whole
}

func (c *Code) referencesOf(fn *Function, part Extent, visit func(Reference)) (whole bool) {
	s, from := c.at(part.Start)
	if s == nil {
		return false
	}
	to := from + min(part.Size, uint64(len(s.data))-from)
	if !c.takes(to - from) {
		return false
	}
	first, _ := slices.BinarySearchFunc(s.relocations, from, func(r relocation, field uint64) int { return cmp.Compare(r.field, field) })
	w := walk{code: c, section: s, fn: fn, start: part.Start, from: from, relocations: s.relocations[first:], visit: visit}
	if c.file.Machine == elf.EM_AARCH64 {
		return w.arm64(s.data[from:to])
	}
	return w.x86(s.data[from:to])
}

// at returns the code that holds an address, and the offset of the address in it.
func (c *Code) at(a Address) (*codeSection, uint64) {
	for i := range c.sections {
		s := &c.sections[i]
		offset := a.Offset
		if c.file.Linked {
			offset -= s.Addr
		} else if s.Index != a.Section {
			continue
		}
		if offset -= s.first; offset < uint64(len(s.data)) {
			return s, offset
		}
	}
	return nil, 0
}

// A walk goes through the code of a part of a function.
type walk struct {
	code        *Code
	section     *codeSection
	fn          *Function
	start       Address
	from        uint64 // offset of start in the section's code
	relocations []relocation
	loads       loads
	visit       func(Reference)
}

// address returns the place of a byte of the part.
func (w *walk) address(at int) Address {
	return Address{w.start.Section, w.start.Offset + uint64(at)}
}

// relocation returns that of a field, or nil. Fields must be asked for in the order of the code.
func (w *walk) relocation(field int) *relocation {
	at := w.from + uint64(field)
	for len(w.relocations) > 0 && w.relocations[0].field < at {
		w.relocations = w.relocations[1:]
	}
	if len(w.relocations) > 0 && w.relocations[0].field == at {
		return &w.relocations[0]
	}
	return nil
}

// target returns what a relocation names, plus an offset.
func (w *walk) target(r *relocation, offset int64) Target {
	f := w.code.file
	s := f.symbol(r.symbol)
	if elf.SectionIndex(s.Shndx) == elf.SHN_UNDEF || int(s.Shndx) >= len(f.Sections) { // the latter is of no section, or damaged
		return Target{Symbol: cmp.Or(f.names.at(s.Name), unnamed), Address: Address{Offset: uint64(r.addend + offset)}}
	}
	a := f.address(s)
	a.Offset += uint64(r.addend + offset)
	return Target{Address: a}
}

// unnamed is the symbol of what has none, which no file has.
const unnamed = "(unnamed)"

// branch tells of a jump or a call, unless it is a jump inside of the function.
func (w *walk) branch(at int, kind ReferenceKind, t Target) {
	if t.Symbol == "" && w.isInside(t.Address) && (kind == Jump || t.Address != w.fn.Start) {
		return
	}
	if register, ok := w.code.file.thunk(t); ok {
		if kind == Call {
			kind = CallPointer
		} else {
			kind = JumpPointer
		}
		w.visit(Reference{At: w.address(at), Kind: kind, Slot: w.loads.of(register)})
		return
	}
	w.visit(Reference{At: w.address(at), Kind: kind, Target: t})
}

func (w *walk) isInside(a Address) bool {
	return Extent{w.fn.Start, w.fn.Size}.Holds(a) || slices.ContainsFunc(w.fn.Cold, func(part Extent) bool { return part.Holds(a) })
}

// Holds reports whether an address lies in the extent.
func (e Extent) Holds(a Address) bool {
	return a.Section == e.Start.Section && a.Offset-e.Start.Offset < e.Size
}

// thunkPrefix begins the names of what retpolines call in place of an indirect branch, before the register's name
// (arch/x86/lib/retpoline.S; there are several kinds of them since Linux 6.2 and 6.15).
const thunkPrefix = "__x86_indirect_"

// thunkArraySuffix ends the name of all of one kind, where they have no names of functions themselves (Linux 5.17 and later): one for each register,
// in the order of their numbers, all of one size.
const thunkArraySuffix = "_array"

// thunk reports whether a target is one that calls, or jumps to, what a register holds; and which register that is, or -1.
func (f *File) thunk(t Target) (register int, ok bool) {
	names := []string{t.Symbol}
	if t.Symbol == "" {
		fn := f.Holding(t.Address)
		if fn == nil || !strings.HasPrefix(fn.Symbol, thunkPrefix) {
			return 0, false
		}
		if each := fn.Size / uint64(len(x86Registers)); strings.HasSuffix(fn.Symbol, thunkArraySuffix) && each > 0 {
			return int((t.Offset - fn.Start.Offset) / each), true
		}
		names = append(fn.Aliases, fn.Symbol)
	}
	for _, name := range names {
		if !strings.HasPrefix(name, thunkPrefix) {
			continue
		}
		ok = true
		if i := slices.Index(x86Registers, name[strings.LastIndexByte(name, '_')+1:]); i >= 0 {
			return i, true
		}
	}
	return -1, ok
}

var x86Registers = []string{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}

// Holding returns the function that has an address in its own code or in a cold part, or nil.
func (f *File) Holding(a Address) *Function {
	i, found := f.Index(a)
	if !found {
		i--
	}
	if i >= 0 && (Extent{f.functions[i].Start, f.functions[i].Size}).Holds(a) {
		return &f.functions[i]
	}
	i, found = slices.BinarySearchFunc(f.cold, a, func(part coldPart, a Address) int { return part.Start.Compare(a) })
	if !found {
		i--
	}
	if i >= 0 && f.cold[i].Holds(a) {
		return &f.functions[f.cold[i].owner]
	}
	return nil
}
