package callgraph

import (
	"fmt"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame/orc"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// ReadObject returns what the machine code of an object tells: its functions, in the order of object.File.Functions and
// without sizes, their calls, and what its data points at. With a table, which may be nil, call sites have their depth.
//
// A call by a retpoline is one through a pointer, and so is one of a static call's trampoline, beside the call of what it
// is first set to. Tracing (__fentry__, mcount) and return thunks are no calls: the kernel removes the ones, the others
// return. Calls in code that the kernel patches in when it starts (.altinstr_replacement) are not seen.
func ReadObject(f *object.File, table *orc.Table) (*Unit, error) {
	code, err := f.ReadCode()
	if err != nil {
		return nil, err
	}
	r := objectReader{file: f, table: table, data: f.DataSymbols(), titles: make([]string, len(f.Functions())), exported: make(map[int]bool)}
	r.unit.Linked = f.Linked
	r.define()
	for i := range f.Functions() {
		fn := &f.Functions()[i]
		r.enter(i)
		if !code.References(fn, r.refer) {
			r.unit.Functions[i].Partly = true
		}
		if strings.HasPrefix(fn.Symbol, trampolinePrefix) {
			r.indirect(&Code{Measured: true, Tail: true}, object.Address{})
		}
	}
	return &r.unit, r.uses()
}

// trampolinePrefix begins the symbols of what static calls call: a jump that the kernel rewrites
// (include/linux/static_call_types.h).
const trampolinePrefix = "__SCT__"

type objectReader struct {
	unit   Unit
	file   *object.File
	table  *orc.Table
	data   object.DataSymbols
	titles []string // by function

	caller   int    // index of the function
	entry    int    // depth at its first instruction
	taken    []*Use // whose PassedTo is not known yet
	exported map[int]bool
}

// define adds the object's functions. The title of a local or weak one begins with its address.
func (r *objectReader) define() {
	exports := r.file.Exports()
	for i, fn := range r.file.Functions() {
		each := &Function{Name: fn.Symbol, Defined: true}
		public := len(fn.Public) > 0 && !fn.Weak
		if public && fn.Public[0] == fn.Symbol {
			each.Title, each.Aliases = fn.Symbol, fn.Public[1:]
		} else {
			each.Title = r.place(fn.Start) + ":" + fn.Symbol
			if public {
				each.Aliases = fn.Public
			}
		}
		r.titles[i] = each.Title
		r.unit.Functions = append(r.unit.Functions, each)
		for _, symbol := range fn.Public {
			if exports[symbol] {
				r.export(i, symbol)
			}
			switch symbol {
			case "init_module":
				r.use(i, Use{Kind: Initial, Holder: symbol})
			case "cleanup_module":
				r.use(i, Use{Kind: Final, Holder: symbol})
			}
		}
	}
}

func (r *objectReader) use(function int, u Use) *Use {
	u.Function = r.titles[function]
	r.unit.Uses = append(r.unit.Uses, &u)
	return &u
}

// export notes once that a function is exported: a symbol tells, and a field of a table that may have none.
func (r *objectReader) export(function int, symbol string) {
	if !r.exported[function] {
		r.exported[function] = true
		r.use(function, Use{Kind: Exported, Holder: symbol})
	}
}

// place is an address as text without colon.
func (r *objectReader) place(a object.Address) string {
	if r.file.Linked {
		return fmt.Sprintf("%#x", a.Offset)
	}
	return fmt.Sprintf("%s+%#x", strings.ReplaceAll(r.file.Sections[a.Section].Name, ":", "_"), a.Offset)
}

// enter begins with the code of a function.
func (r *objectReader) enter(i int) {
	r.caller, r.entry, r.taken = i, r.file.ReturnAddressBytes(), r.taken[:0]
	if depth, ok := r.depth(r.file.Functions()[i].Start); ok {
		r.entry = depth
	}
}

// depth returns how much is taken of the stack at an address, if it is known.
func (r *objectReader) depth(a object.Address) (bytes int, ok bool) {
	if r.table == nil {
		return 0, false
	}
	row, ok := r.table.At(a)
	if !ok {
		return 0, false
	}
	bytes, exact, ok := row.Depth()
	return bytes, ok && exact
}

// refer takes one thing that the caller's code refers to.
func (r *objectReader) refer(ref object.Reference) {
	if ref.Kind == object.Take {
		r.take(ref.Target)
		return
	}
	code := &Code{Tail: ref.Kind == object.Jump || ref.Kind == object.JumpPointer}
	if depth, ok := r.depth(ref.At); ok {
		code.Measured = true
		code.Depth = depth - r.entry
		if !code.Tail { // the callee's frame counts the return address that the call pushes; the caller's own is to be added
			code.Depth += r.file.ReturnAddressBytes()
		}
		if code.Depth < 0 {
			code.Depth, code.Measured = 0, false
		}
	}
	switch {
	case ref.Kind == object.JumpPointer && r.table != nil && !(code.Measured && code.Depth == 0):
		return // a switch: the frame is still there
	case ref.Kind == object.CallPointer || ref.Kind == object.JumpPointer:
		code.Slot = r.slot(ref.Slot)
		r.indirect(code, ref.At)
		return
	}
	callee, ok := r.title(ref.Target)
	if !ok && code.Tail || isNoCall(callee) { // what assembly puts elsewhere, such as .altinstr_aux, comes back by a jump
		return
	}
	for _, u := range r.taken {
		u.PassedTo, _ = frame.SymbolOf(callee)
	}
	r.taken = r.taken[:0]
	r.site(callee, code)
}

func (r *objectReader) site(callee string, code *Code) {
	r.unit.CallSites = append(r.unit.CallSites, &CallSite{Caller: r.titles[r.caller], Callee: callee, Code: code})
}

// indirect adds a call through a pointer.
func (r *objectReader) indirect(c *Code, at object.Address) {
	r.site(indirect, c)
	r.unit.Pointers = append(r.unit.Pointers, at)
}

func (r *objectReader) take(t object.Target) {
	if i, ok := r.file.Index(t.Address); ok && t.Symbol == "" && i != r.caller {
		r.taken = append(r.taken, r.use(i, Use{Kind: Taken, Holder: r.file.Functions()[r.caller].Symbol}))
	}
}

func (r *objectReader) slot(s object.Slot) Slot {
	slot := Slot{Known: s.Known, Offset: int(s.Offset)}
	if s.Fixed {
		slot.Table, slot.Offset = s.Target.Symbol, 0
		if slot.Table == "" {
			table, offset := r.data.At(s.Target.Address)
			slot = Slot{Known: table != "", Table: table, Offset: int(offset)}
		}
	}
	return slot
}

// title returns the title of what a call leads to. Code that has no symbol is called by its address, and not ok.
func (r *objectReader) title(t object.Target) (title string, ok bool) {
	if t.Symbol != "" {
		return t.Symbol, true
	}
	if fn := r.file.Holding(t.Address); fn != nil {
		if i, ok := r.file.Index(fn.Start); ok {
			return r.titles[i], true
		}
	}
	return r.place(t.Address), false
}

// isNoCall reports whether a callee is of the kernel's own machinery and takes nothing of the stack that stays.
func isNoCall(title string) bool {
	name, _ := frame.SymbolOf(title)
	switch name {
	case "__fentry__", "mcount", "_mcount":
		return true
	}
	return strings.HasSuffix(name, "return_thunk")
}

// uses adds what the object's data tells.
func (r *objectReader) uses() error {
	pointers, err := r.file.FunctionPointers()
	for _, p := range pointers {
		switch {
		case strings.HasPrefix(p.Section, "__ksymtab"), strings.HasPrefix(p.Section, "___ksymtab"):
			r.export(p.Function, r.file.Functions()[p.Function].Symbol)
		case strings.HasPrefix(p.Section, ".initcall"):
			r.use(p.Function, Use{Kind: Initial, Holder: p.Symbol})
		case p.Symbol == thisModule: // names init_module and cleanup_module
		default:
			r.use(p.Function, Use{Kind: InTable, Holder: p.Symbol, Offset: int(p.Offset)})
		}
	}
	return err
}

// thisModule is the symbol of a module's own description (scripts/mod/modpost.c).
const thisModule = "__this_module"
