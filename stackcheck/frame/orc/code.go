package orc

import (
	"debug/elf"
	"fmt"
	"math"
	"slices"

	"github.com/kmodaudit/kmodaudit/chunks"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
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
	var m func() instructions
	switch f.Machine {
	case elf.EM_X86_64:
		m = func() instructions { return new(x86Instructions) }
	case elf.EM_AARCH64:
		m = func() instructions { return new(arm64Instructions) }
	default:
		return nil, fmt.Errorf("%s: %w", f.Name, ErrNone)
	}
	var parts []object.Extent
	for _, i := range functions {
		fn := &f.Functions()[i]
		parts = append(append(parts, object.Extent{Start: fn.Start, Size: fn.Size}), fn.Cold...)
	}
	patches, patchesErr := readPatches(f, parts)
	code, err := f.ReadCodeOf(slices.Concat(parts, patches.others))
	if err != nil {
		return nil, err
	}
	rows := chunks.CollectBy(functionsAtOnce, len(functions), func(first, last int) (rows []Row) {
		w := follower{instructions: m(), file: f, code: code, noReturn: noReturn, patches: patches}
		for _, i := range functions[first:last] {
			rows = w.appendRows(rows, &f.Functions()[i])
		}
		return rows
	})
	t := &Table{rows: rows, source: frame.SourceCode, entry: f.ReturnAddressBytes()}
	t.sort()
	return t, patchesErr
}

// functionsAtOnce is how many functions are a goroutine's to follow: they take microseconds each.
const functionsAtOnce = 64

// A follower goes through the code of one function after the other.
type follower struct {
	instructions
	file     *object.File
	code     *object.Code
	noReturn func(symbol string) bool
	patches  *patches

	marks   []reached // that pieces share
	pieces  []piece   // first those of the function
	own     int       // of pieces
	todo    []spot
	calls   []spot // places behind those that do not come back
	frame   int    // depth at which the frame pointer was set, 0 before
	inexact bool
}

// instructions are those of a machine. decode is called first, and the others then tell of what it has read.
type instructions interface {
	decode(code []byte) (size int, ok bool)
	// goesOn reports whether the next instruction may be run after one, and notes where else it may lead inside of the function.
	goesOn(w *follower, s spot) bool
	// after returns how deep the stack is behind an instruction.
	after(w *follower, s spot) int
	// isFilling reports whether it is one of those that are put where none is run.
	isFilling() bool
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
	depth   int32
	bytes   uint8 // 0 where none begins
	patched bool  // tables tell of this place
}

// spot is where code goes on, and how deep the stack is there.
type spot struct{ piece, at, depth int }

const (
	mostPieces  = 16            // of a function, more than any has: all are looked through at each jump
	mostDepth   = math.MaxInt16 // of a row, and as much as two stacks of a kernel
	detourBytes = 64            // more than any takes
)

func (w *follower) appendRows(rows []Row, fn *object.Function) []Row {
	w.marks, w.pieces, w.calls, w.frame, w.inexact = w.marks[:0], w.pieces[:0], w.calls[:0], 0, false
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
	w.todo = append(w.todo, spot{depth: w.file.ReturnAddressBytes()})
	w.followAll()
	// What compilers were not told not to come back has code behind it that nothing else leads to.
	for n := 0; n < len(w.calls); n++ { // more may come
		s := w.calls[n]
		if p := &w.pieces[s.piece]; s.at < len(p.Code) && p.reached[s.at].bytes == 0 && p.isCode(s.at, w.instructions) {
			w.todo = append(w.todo, s)
			w.followAll()
		}
	}
	for i := range w.pieces[:w.own] {
		w.inexact = w.inexact || w.pieces[i].hasMore(w.instructions)
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

func (w *follower) followAll() {
	for len(w.todo) > 0 {
		next := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		w.follow(next)
	}
}

// comesBack reports whether a function that is called does, and otherwise notes the place behind the call.
func (w *follower) comesBack(s spot, called object.Target) bool {
	if !w.noReturn(w.symbol(called)) {
		return true
	}
	w.calls = append(w.calls, spot{s.piece, s.at + int(w.pieces[s.piece].reached[s.at].bytes), s.depth})
	return false
}

// follow goes on until the code goes nowhere, or where it was before.
func (w *follower) follow(s spot) {
	p := w.pieces[s.piece]
	for s.at < len(p.Code) && p.reached[s.at].bytes == 0 {
		size, ok := w.decode(p.Code[s.at:])
		mark := &p.reached[s.at]
		mark.depth, mark.bytes = int32(max(0, min(s.depth, mostDepth))), uint8(max(1, size))
		if !ok || s.depth < 0 || s.depth > mostDepth {
			w.inexact = true
			return
		}
		isBranch := mark.patched && w.patch(s)
		if !w.goesOn(w, s) && !isBranch {
			return
		}
		s.depth = w.after(w, s)
		s.at += size
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
	if rest := len(p.reached); rest < min(p.behind.at-p.place.at, len(own)) && own[rest].bytes == 0 {
		own[rest].depth, own[rest].bytes = int32(p.place.depth), 1
	}
}

// hasMore reports whether there is code that was not reached, and is not there to fill gaps.
func (p *piece) hasMore(by instructions) bool {
	for at := 0; at < len(p.Code); {
		if size := int(p.reached[at].bytes); size != 0 {
			at += size
			continue
		}
		if p.isCode(at, by) {
			return true
		}
		size, _ := by.decode(p.Code[at:])
		at += size
	}
	return false
}

// isCode reports whether at an offset is more than what fills gaps.
func (p *piece) isCode(at int, by instructions) bool {
	_, ok := by.decode(p.Code[at:])
	return !ok || !by.isFilling()
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

// appendPiece appends a row for each instruction at which the depth is another, and for code that was not reached.
func (w *follower) appendPiece(rows []Row, p *piece) []Row {
	base := SP
	if w.inexact {
		base = BP
	}
	const nowhere = -1
	add := func(at, depth int) {
		row := Row{Base: base, Offset: int16(depth)}
		if depth == nowhere {
			row = Row{Base: Undefined}
		}
		start := p.Start
		start.Offset += uint64(at)
		row.setAddress(start)
		rows = append(rows, row)
	}
	last, end := nowhere, 0
	for at, r := range p.reached {
		switch {
		case r.bytes != 0:
			if int(r.depth) != last {
				last = int(r.depth)
				add(at, last)
			}
			end = max(end, at+int(r.bytes))
		case at == end && last != nowhere:
			last = nowhere
			add(at, nowhere)
		}
	}
	add(len(p.reached), nowhere)
	return rows
}
