package orc

import (
	"cmp"
	"debug/elf"
	"fmt"
	"slices"

	"github.com/kmodaudit/kmodaudit/chunks"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
	"github.com/kmodaudit/kmodaudit/stackcheck/x86"
)

// FromCode makes of the code of some of an object's Functions the table that objtool makes of it, for an object that has none, and for functions that
// objtool was kept from: kernels that keep frame pointers have no ORC. It follows each function from its first instruction through all jumps inside of it, and
// through what the kernel may put in the place of its code when it starts, and adds up what instructions do to the stack pointer. noReturn tells the symbols of
// functions that do not come back from a call.
//
// What moves the stack pointer by what only run time knows, rounds it down, jumps by a table, or is not known, makes the rows of the function
// such as tell by another register: then depths are the least. So does code of the function that nothing was found to lead to.
//
// With an error about what the kernel replaces it returns the table of all other code.
func FromCode(f *object.File, functions []int, noReturn func(symbol string) bool) (*Table, error) {
	if f.Machine != elf.EM_X86_64 {
		return nil, fmt.Errorf("%s: %w", f.Name, ErrNone)
	}
	var parts []object.Extent
	for _, i := range functions {
		fn := &f.Functions()[i]
		parts = append(append(parts, object.Extent{Start: fn.Start, Size: fn.Size}), fn.Cold...)
	}
	patches, patchesErr := readPatches(f, parts)
	code, err := f.ReadCodeOf(slices.Concat(parts, patches.code))
	if err != nil {
		return nil, err
	}
	rows := chunks.CollectBy(functionsAtOnce, len(functions), func(first, last int) (rows []Row) {
		w := follower{file: f, code: code, noReturn: noReturn, patches: patches}
		for _, i := range functions[first:last] {
			rows = w.appendRows(rows, &f.Functions()[i])
		}
		return rows
	})
	t := &Table{rows: rows, source: frame.SourceCode}
	t.sort()
	return t, patchesErr
}

// functionsAtOnce is how many functions are a goroutine's to follow: they take microseconds each.
const functionsAtOnce = 64

// A follower goes through the code of one function after the other.
type follower struct {
	file     *object.File
	code     *object.Code
	noReturn func(symbol string) bool
	patches  *patches

	marks   []reached // that pieces share
	pieces  []piece   // first those of the function
	own     int       // of pieces
	todo    []spot
	frame   int // depth at which the frame pointer was set, 0 before
	inexact bool
}

// A piece is code that lies together: of the function, or elsewhere on its way.
type piece struct {
	object.Span
	reached []reached // by byte
	behind  *spot     // of code that may replace some of the function's: where that goes on behind it
	place   spot      // and where it begins
}

// reached is an instruction that was.
type reached struct {
	depth   int32 // 0 where none begins
	bytes   uint8
	patched bool // tables tell of this place
}

// spot is where code goes on, and how deep the stack is there.
type spot struct{ piece, at, depth int }

const (
	mostPieces  = 16      // of a function, more than any has: all are looked through at each jump
	mostDepth   = 1 << 16 // more than any kernel's stack
	detourBytes = 64      // more than any takes
)

func (w *follower) appendRows(rows []Row, fn *object.Function) []Row {
	w.marks, w.pieces, w.frame, w.inexact = w.marks[:0], w.pieces[:0], 0, false
	w.add(fn)
	for i := range w.pieces {
		w.patches.mark(&w.pieces[i])
	}
	if w.own = len(w.pieces); w.own > mostPieces {
		w.pieces, w.own, w.inexact = w.pieces[:mostPieces], mostPieces, true
	}
	if w.own == 0 {
		return rows
	}
	w.todo = append(w.todo, spot{depth: returnAddressBytes})
	for len(w.todo) > 0 {
		next := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		w.follow(next)
	}
	for i := range w.pieces[:w.own] {
		w.inexact = w.inexact || w.pieces[i].hasMore()
	}
	for _, p := range w.pieces[w.own:] {
		w.replace(p)
	}
	for i := range w.pieces[:w.own] {
		rows = w.appendPiece(rows, &w.pieces[i])
	}
	return rows
}

func (w *follower) add(fn *object.Function) {
	for _, s := range w.code.Spans(fn) {
		first := len(w.marks)
		w.marks = slices.Grow(w.marks, len(s.Code))[:first+len(s.Code)]
		marks := w.marks[first:]
		clear(marks)
		w.pieces = append(w.pieces, piece{Span: s, reached: marks})
	}
}

// follow goes on until the code goes nowhere, or where it was before.
func (w *follower) follow(s spot) {
	p := w.pieces[s.piece]
	for s.at < len(p.Code) && p.reached[s.at].depth == 0 {
		code := p.Code[s.at:]
		i, ok := x86.Decode(code)
		if !ok || s.depth < 0 || s.depth > mostDepth {
			w.inexact = true
			return
		}
		code = code[:i.Size]
		mark := &p.reached[s.at]
		mark.depth, mark.bytes = int32(max(s.depth, 1)), uint8(i.Size)
		isBranch := mark.patched && w.patch(s)
		if !w.goesOn(&s, &i) && !isBranch {
			return
		}
		s.depth = w.after(s.depth, &i, code)
		s.at += i.Size
	}
	if s.at >= len(p.Code) && p.behind != nil {
		w.todo = append(w.todo, spot{p.behind.piece, p.behind.at, s.depth})
	}
}

// patch notes where the kernel's tables say that code goes on too, and reports whether it does either there or at the next instruction.
func (w *follower) patch(s spot) (isBranch bool) {
	at := w.pieces[s.piece].Start
	at.Offset += uint64(s.at)
	to, isBranch := w.patches.branches[at]
	if isBranch {
		w.branch(to, s.depth)
	}
	for _, a := range w.patches.alternatives[at] {
		behind := spot{s.piece, s.at + a.places, s.depth}
		if a.code.Size == 0 {
			w.todo = append(w.todo, behind)
			continue
		}
		w.enter(a.code, s, &behind)
	}
	return isBranch
}

// enter follows code that is not the function's own.
func (w *follower) enter(code object.Extent, from spot, behind *spot) {
	first := len(w.pieces)
	w.add(&object.Function{Start: code.Start, Size: code.Size})
	for n := first; n < len(w.pieces); n++ {
		w.pieces[n].behind, w.pieces[n].place = behind, from
		w.todo = append(w.todo, spot{n, 0, from.depth})
	}
}

// replace puts the depths of code into those of what it replaces. What it leaves of that is as deep as at the begin.
func (w *follower) replace(p piece) {
	if p.behind == nil {
		return
	}
	own := w.pieces[p.behind.piece].reached[p.place.at:]
	for at, r := range p.reached[:min(len(p.reached), len(own))] {
		own[at].depth, own[at].bytes = max(own[at].depth, r.depth), max(own[at].bytes, r.bytes)
	}
	if rest := len(p.reached); rest < min(p.behind.at-p.place.at, len(own)) && own[rest].depth == 0 {
		own[rest].depth, own[rest].bytes = int32(p.place.depth), 1
	}
}

// hasMore reports whether there is code that was not reached, and is not there to fill gaps.
func (p *piece) hasMore() bool {
	for at := 0; at < len(p.Code); {
		if p.reached[at].depth != 0 {
			at += int(p.reached[at].bytes)
			continue
		}
		i, ok := x86.Decode(p.Code[at:])
		if !ok || !isFilling(&i) {
			return true
		}
		at += i.Size
	}
	return false
}

// isFilling reports whether an instruction is one of those that are put where none is run: INT3, NOP, UD1, UD2, and RET behind a call that does not come back.
func isFilling(i *x86.Instruction) bool {
	return i.IsPlain(0xcc) || i.IsPlain(0x90) || i.IsPlain(0xc3) || i.Map == 1 && (i.Opcode == 0x1f || i.Opcode == 0xb9 || i.Opcode == 0x0b)
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
	target := w.pieces[s.piece].Target(s.at, *i, i.Immediate, i.ImmediateBytes)
	if i.IsPlain(0xe8) { // CALL
		return !w.noReturn(w.symbol(target))
	}
	if target.Symbol == "" {
		w.branch(target.Address, s.depth)
	}
	return !i.IsPlain(0xe9) && !i.IsPlain(0xeb) // JMP
}

// branch notes a place that code leads to, if the function goes on there.
func (w *follower) branch(to object.Address, depth int) {
	for n := range w.pieces {
		if p := &w.pieces[n]; p.Holds(to) && p.behind == nil {
			w.todo = append(w.todo, spot{n, int(to.Offset - p.Start.Offset), depth})
			return
		}
	}
	if w.patches.isDetour(to) {
		w.enter(object.Extent{Start: to, Size: detourBytes}, spot{depth: depth}, nil)
	}
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

// appendPiece appends a row for each instruction at which the depth is another, and for code that was not reached.
func (w *follower) appendPiece(rows []Row, p *piece) []Row {
	base := SP
	if w.inexact {
		base = BP
	}
	add := func(at, depth int) {
		row := Row{Base: base, Offset: int16(min(depth, 1<<15-1))}
		if depth == 0 {
			row.Base = Undefined
		}
		start := p.Start
		start.Offset += uint64(at)
		row.setAddress(start)
		rows = append(rows, row)
	}
	last, end := -1, 0
	for at, r := range p.reached {
		switch {
		case r.depth != 0:
			if int(r.depth) != last {
				last = int(r.depth)
				add(at, last)
			}
			end = max(end, at+int(r.bytes))
		case at == end && last != 0:
			last = 0
			add(at, 0)
		}
	}
	add(len(p.reached), 0)
	return rows
}
