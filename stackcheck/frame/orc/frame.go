package orc

import (
	"sync"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// Sizes returns the frame of each of the object's Functions, in their order. Of one about which ORC knows nothing the frame
// is zero. The others have a Symbol, which the Function is too; those of local symbols have a File, where the object tells it.
func (t *Table) Sizes(f *object.File) []frame.Frame {
	functions := f.Functions()
	sizes := make([]frame.Frame, len(functions))
	var parts sync.WaitGroup
	for first := 0; first < len(functions); first += partFunctions {
		last := min(first+partFunctions, len(functions))
		parts.Go(func() {
			for i := first; i < last; i++ {
				sizes[i] = t.size(f, &functions[i])
			}
		})
	}
	parts.Wait()
	return sizes
}

// partFunctions are measured by one goroutine.
const partFunctions = 4096

func (t *Table) size(f *object.File, fn *object.Function) frame.Frame {
	e := measure(t.Rows(fn.Start, fn.Size))
	for _, part := range fn.Cold {
		e.add(t.Rows(part.Start, part.Size))
	}
	realign := 0
	if e.inexact {
		if code, err := f.Code(object.Extent{Start: fn.Start, Size: fn.Size}, straightBytes); err == nil {
			deepest, alignment := straight(code)
			e.deepest = max(e.deepest, deepest)
			realign = max(0, alignment-stackAlignment)
		}
	}
	bytes, kind, ok := e.frame()
	if !ok {
		return frame.Frame{}
	}
	return frame.Frame{
		Function: fn.Symbol, Symbol: fn.Symbol, File: fn.File, Bytes: bytes, Kind: kind, Source: frame.SourceORC, RealignBytes: realign,
	}
}

// stackAlignment is what the kernel keeps the stack pointer a multiple of (-mpreferred-stack-boundary=3).
const stackAlignment = 8

// An extent is how deep rows go.
type extent struct {
	entry, deepest int
	inexact, known bool
}

// measure begins with the rows of a function's own code, the first of which holds at its entry.
func measure(rows []Row) extent {
	e := extent{entry: returnAddressBytes}
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

func (e *extent) frame() (bytes int, kind frame.Kind, ok bool) {
	kind = frame.Static
	if e.inexact {
		kind = frame.Dynamic
	}
	return max(e.deepest-e.entry, 0) + returnAddressBytes, kind, e.known
}
