package orc

import (
	"debug/elf"

	"github.com/kmodaudit/kmodaudit/chunks"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// Sizes returns the frame of each of the object's Functions, in their order. Of one about which ORC knows nothing the frame
// is zero. The others have a Symbol, which the Function is too; those of local symbols have a File, where the object tells it.
func (t *Table) Sizes(f *object.File) []frame.Frame {
	functions := f.Functions()
	sizes := make([]frame.Frame, len(functions))
	chunks.Each(len(functions), func(first, last int) {
		at := 0 // the rows of a function mostly follow those of the one before
		for i := first; i < last; i++ {
			var rows []Row
			rows, at = t.rowsFrom(at, functions[i].Start, functions[i].Size)
			t.size(&sizes[i], rows, f, &functions[i])
		}
	})
	return sizes
}

// SizesOf returns the frames of some of the object's Functions, as Sizes does.
func (t *Table) SizesOf(f *object.File, functions []int) []frame.Frame {
	sizes := make([]frame.Frame, len(functions))
	for n, i := range functions {
		fn := &f.Functions()[i]
		t.size(&sizes[n], t.Rows(fn.Start, fn.Size), f, fn)
	}
	return sizes
}

// Untold returns which of the object's Functions the table tells no frame of: all, if it is nil.
func (t *Table) Untold(f *object.File) (functions []int) {
	var sizes []frame.Frame
	if t != nil {
		sizes = t.Sizes(f)
	}
	for i := range f.Functions() {
		if t == nil || sizes[i].Source == "" {
			functions = append(functions, i)
		}
	}
	return functions
}

// size sets what is known of a frame. The rows are those of the function's own code.
func (t *Table) size(size *frame.Frame, rows []Row, f *object.File, fn *object.Function) {
	e := t.measure(rows)
	for _, part := range fn.Cold {
		e.add(t.Rows(part.Start, part.Size))
	}
	realign := 0
	if e.inexact && f.Machine == elf.EM_X86_64 {
		if code, err := f.Code(object.Extent{Start: fn.Start, Size: fn.Size}, straightBytes); err == nil {
			deepest, alignment := straight(code)
			e.deepest = max(e.deepest, deepest)
			realign = max(0, alignment-stackAlignment)
		}
	}
	bytes, kind, ok := e.frame()
	if !ok {
		return
	}
	bytes += t.entry
	size.Function, size.Symbol, size.File, size.Source = fn.Symbol, fn.Symbol, fn.File, t.source
	size.Bytes, size.Kind, size.RealignBytes = bytes, kind, realign
}

// stackAlignment is what the kernel keeps the stack pointer a multiple of (-mpreferred-stack-boundary=3).
const stackAlignment = 8

// An extent is how deep rows go.
type extent struct {
	entry, deepest int
	inexact, known bool
}

// measure begins with the rows of a function's own code, the first of which holds at its entry.
func (t *Table) measure(rows []Row) extent {
	e := extent{entry: t.entry}
	if len(rows) > 0 {
		if depth, exact, ok := rows[0].Depth(); ok && exact {
			e.entry = depth
		}
	}
	e.add(rows)
	return e
}

func (e *extent) add(rows []Row) {
	for _, r := range rows {
		depth, exact, ok := r.Depth()
		if !ok {
			continue
		}
		e.known = true
		e.inexact = e.inexact || !exact
		e.deepest = max(e.deepest, depth)
	}
}

// frame returns what is taken beside what is when the function begins.
func (e *extent) frame() (bytes int, kind frame.Kind, ok bool) {
	kind = frame.Static
	if e.inexact {
		kind = frame.Dynamic
	}
	return max(e.deepest-e.entry, 0), kind, e.known
}
