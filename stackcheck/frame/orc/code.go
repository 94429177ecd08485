package orc

import (
	"cmp"
	"debug/elf"
	"fmt"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
	"github.com/kmodaudit/kmodaudit/stackcheck/x86"
)

// FromCode makes of an object's code the table that objtool makes of it, for an object that has none: kernels that keep frame pointers have no
// ORC. It follows each function from its first instruction through all jumps inside of it, and adds up what instructions do to the stack
// pointer. noReturn tells the symbols of functions that do not come back from a call.
//
// What replaces instructions when the kernel starts (.altinstr_replacement) is not followed; in 163 of the 209,726 functions of Debian's Linux 6.1 it
// pushes 8 bytes more. Otherwise all but 15 have what ORC tells, or more where ORC tells the least.
//
// What moves the stack pointer by what only run time knows, rounds it down, jumps by a table, or is not known, makes the rows of the function
// such as tell by another register: then depths are the least.
func FromCode(f *object.File, noReturn func(symbol string) bool) (*Table, error) {
	if f.Machine != elf.EM_X86_64 {
		return nil, fmt.Errorf("%s: %w", f.Name, ErrNone)
	}
	code, err := f.ReadCode()
	if err != nil {
		return nil, err
	}
	patched, err := patchedBranches(f)
	if err != nil {
		return nil, err
	}
	t := &Table{source: frame.SourceCode}
	for i := range f.Functions() {
		w := follower{file: f, spans: code.Spans(&f.Functions()[i]), noReturn: noReturn, patched: patched}
		t.rows = w.appendRows(t.rows)
	}
	t.sort()
	return t, nil
}

// A follower goes through the code of one function.
type follower struct {
	file     *object.File
	spans    []object.Span
	noReturn func(symbol string) bool
	patched  map[object.Address]object.Address

	reached [][]reached // by span and byte
	todo    []spot
	frame   int // depth at which the frame pointer was set, 0 before
	inexact bool
}

// reached is an instruction that was.
type reached struct {
	depth int32 // 0 where none begins
	bytes uint8
}

// spot is where code goes on, and how deep the stack is there.
type spot struct{ span, at, depth int }

// mostSpans is more than any function has: all are looked through at each jump.
const mostSpans = 16

// mostDepth is more than any kernel's stack.
const mostDepth = 1 << 16

func (w *follower) appendRows(rows []Row) []Row {
	if len(w.spans) == 0 {
		return rows
	}
	if len(w.spans) > mostSpans {
		w.spans, w.inexact = w.spans[:mostSpans], true
	}
	for _, s := range w.spans {
		w.reached = append(w.reached, make([]reached, len(s.Code)))
	}
	w.todo = append(w.todo, spot{depth: returnAddressBytes})
	for len(w.todo) > 0 {
		next := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		w.follow(next)
	}
	for i := range w.spans {
		rows = w.appendSpan(rows, i)
	}
	return rows
}

// follow goes on until the code goes nowhere, or where it was before.
func (w *follower) follow(s spot) {
	span := &w.spans[s.span]
	for s.at < len(span.Code) && w.reached[s.span][s.at].depth == 0 {
		code := span.Code[s.at:]
		i, ok := x86.Decode(code)
		if !ok || s.depth < 0 || s.depth > mostDepth {
			w.inexact = true
			return
		}
		code = code[:i.Size]
		w.reached[s.span][s.at] = reached{int32(max(s.depth, 1)), uint8(i.Size)}
		if to, ok := w.patched[object.Address{Section: span.Start.Section, Offset: span.Start.Offset + uint64(s.at)}]; ok {
			w.branch(to, s.depth)
		}
		if !w.goesOn(&s, &i) {
			return
		}
		s.depth = w.after(s.depth, &i, code)
		s.at += i.Size
	}
}

// goesOn reports whether the next instruction may be run after one, and notes where else it may lead inside of the function.
func (w *follower) goesOn(s *spot, i *x86.Instruction) bool {
	switch {
	case i.IsPlain(0xc3), i.IsPlain(0xc2), i.IsPlain(0xcb), i.IsPlain(0xcf), i.IsPlain(0xcc), i.IsPlain(0xf4): // RET, IRET, INT3, HLT
		return false
	case i.IsPlain(0xff) && (i.Reg == 4 || i.Reg == 5): // JMP by a pointer: out of the function, or by the table of a switch
		w.inexact = true
		return false
	case !i.IsRelative():
		return true
	}
	target := w.spans[s.span].Target(s.at, *i, i.Immediate, i.ImmediateBytes)
	if i.IsPlain(0xe8) { // CALL
		return !w.noReturn(w.symbol(target))
	}
	if target.Symbol == "" {
		w.branch(target.Address, s.depth)
	}
	return !i.IsPlain(0xe9) && !i.IsPlain(0xeb) // JMP
}

// branch notes a place that code leads to, if it is in the function.
func (w *follower) branch(to object.Address, depth int) {
	for n := range w.spans {
		if span := &w.spans[n]; span.Holds(to) {
			w.todo = append(w.todo, spot{n, int(to.Offset - span.Start.Offset), depth})
		}
	}
}

// patchedBranches returns where code goes on from instructions that the kernel patches into jumps (__jump_table, struct jump_entry), and from those that
// fault (__ex_table, struct exception_table_entry): both tables have the place of an instruction first, and then where it goes on.
func patchedBranches(f *object.File) (map[object.Address]object.Address, error) {
	to := make(map[object.Address]object.Address)
	for name, entry := range map[string]uint64{"__jump_table": 16, "__ex_table": 12} {
		for _, section := range f.Find(name) {
			var from object.Pointer
			err := f.EachPointer(section, func(p object.Pointer) {
				switch p.Field % entry {
				case 0:
					from = p
				case 4:
					if p.Field == from.Field+4 {
						to[from.Target] = p.Target
					}
				}
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return to, nil
}

func (w *follower) symbol(t object.Target) string {
	if t.Symbol == "" {
		if fn := w.file.Holding(t.Address); fn != nil {
			return fn.Symbol
		}
	}
	return t.Symbol
}

// after returns how deep the stack is behind an instruction.
func (w *follower) after(depth int, i *x86.Instruction, code []byte) int {
	const sp, bp = 4, 5
	registers := i.HasRM && i.Mode == 3 && i.REX&x86.REXW != 0 && i.REX&(x86.REXB|x86.REXR) == 0
	from, to := i.Reg, i.RM
	if i.IsPlain(0x8b) {
		from, to = i.RM, i.Reg
	}
	move := registers && (i.IsPlain(0x89) || i.IsPlain(0x8b))
	switch {
	case move && from == sp && to == bp:
		w.frame = cmp.Or(w.frame, depth)
		return depth
	case move && from == bp && to == sp && w.frame > 0:
		return w.frame
	case i.IsPlain(0xc9) && w.frame > 0: // LEAVE
		return w.frame - 8
	case i.IsPlain(0x8d) && i.Register() == sp && i.REX&x86.REXB == 0 && i.Mode != 0 && i.RM == bp && w.frame > 0: // LEA of the frame pointer
		return w.frame - int(x86.Signed(code[i.Displacement:][:i.DisplacementBytes]))
	case i.IsPlain(0x8d) && i.Register() == sp && i.REX&x86.REXB == 0 && i.Mode != 0 && i.RM == 4 && i.SIB == 0x24: // LEA of the stack pointer
		return depth - int(x86.Signed(code[i.Displacement:][:i.DisplacementBytes]))
	case i.IsPlain(0x9c): // PUSHF
		return depth + 8
	case i.IsPlain(0x9d): // POPF
		return depth - 8
	}
	pushed, ok := i.Pushed(code)
	if !ok && mayMove(i) || i.Alignment(code) > 0 {
		w.inexact = true
	}
	return depth + pushed
}

// mayMove reports whether an instruction of which it is not told moves the stack pointer to where only run time knows. Those that package x86 does not tell
// of work on vectors, on ports and on strings; of the others XCHG and ENTER could.
func mayMove(i *x86.Instruction) bool {
	if i.IsRelative() || i.Map == 0 && i.HasRM && i.Opcode&1 == 0 && i.Opcode < 0x8c { // the latter is of bytes, of which AH has the stack pointer's number
		return false
	}
	if _, _, told := i.Writes(); told {
		return i.Opcode != 0xf6 // TEST of a byte
	}
	const sp = 4
	exchange := i.IsPlain(0x87) && i.Mode == 3 && (i.Register() == sp || i.RM == sp && i.REX&x86.REXB == 0) || i.IsPlain(0x90+sp) && i.REX&x86.REXB == 0
	return exchange || i.IsPlain(0xc8)
}

// appendSpan appends a row for each instruction at which the depth is another, and for code that was not reached.
func (w *follower) appendSpan(rows []Row, n int) []Row {
	base := SP
	if w.inexact {
		base = BP
	}
	add := func(at, depth int) {
		row := Row{Base: base, Offset: int16(min(depth, 1<<15-1))}
		if depth == 0 {
			row.Base = Undefined
		}
		start := w.spans[n].Start
		start.Offset += uint64(at)
		row.setAddress(start)
		rows = append(rows, row)
	}
	last, end := -1, 0
	for at, r := range w.reached[n] {
		switch {
		case r.depth != 0:
			if int(r.depth) != last {
				last = int(r.depth)
				add(at, last)
			}
			end = at + int(r.bytes)
		case at == end && last != 0:
			last = 0
			add(at, 0)
		}
	}
	add(len(w.reached[n]), 0)
	return rows
}
