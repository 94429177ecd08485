package prototype

import (
	"debug/dwarf"
	"encoding/binary"

	"github.com/kmodaudit/kmodaudit/stackcheck/framemap"
)

// declared is what code can refer to.
type declared struct {
	functions map[uint64]*ctype  // by address
	named     map[string]*ctype  // by name; nil of two that differ
	variables []variable         // with an address
	externs   map[string]*ctype  // variables by name
	locals    map[uint64][]local // by the address of the function that they are in
}

// local is where a variable of a function lies that is a pointer.
type local struct {
	from, to uint64 // addresses at which it does; all of the function if from is 0
	register int    // of x86-64; -1 for the frame
	offset   int64  // in the frame, from the canonical frame address
	typ      *ctype
}

type variable struct {
	address uint64
	typ     *ctype
}

// add notes a function or a variable by name.
func add(named map[string]*ctype, name string, t *ctype) {
	if known, ok := named[name]; ok && (known == nil || known.text() != t.text()) {
		t = nil
	}
	named[name] = t
}

// unitTypes reads the types of one unit of debug information.
type unitTypes struct {
	unit    *framemap.Unit
	entries *dwarf.Reader // in their order
	lookup  *dwarf.Reader // of what they refer to
	order   binary.ByteOrder
	types   map[dwarf.Offset]*ctype
	work    *int // that is left, in entries

	isFunction func(address uint64) bool
}

func newUnitTypes(unit *framemap.Unit, order binary.ByteOrder, isFunction func(uint64) bool, work *int) *unitTypes {
	return &unitTypes{
		unit: unit, entries: unit.Reader(), lookup: unit.Reader(), order: order, types: make(map[dwarf.Offset]*ctype), work: work, isFunction: isFunction,
	}
}

// read collects what stands outside of functions.
func (u *unitTypes) read(d *declared) {
	root := u.next(u.entries)
	if root == nil || root.Tag != dwarf.TagCompileUnit || !root.Children {
		return
	}
	for e := u.next(u.entries); e != nil && e.Tag != 0; e = u.next(u.entries) {
		switch e.Tag {
		case dwarf.TagSubprogram:
			if at, ok := u.function(d, e); ok {
				u.locals(d, e, at)
				continue
			}
		case dwarf.TagVariable:
			u.variable(d, e)
		}
		u.skip(e)
	}
}

// locals collects the variables of a function that is being read, and of those that were inlined into it, and goes on behind it.
func (u *unitTypes) locals(d *declared, e *dwarf.Entry, at uint64) {
	base, _ := e.Val(dwarf.AttrFrameBase).([]byte)
	belowCFA := len(base) == 1 && base[0] == opCFA
	if !e.Children {
		return
	}
	for depth := 1; depth > 0; {
		child := u.next(u.entries)
		if child == nil {
			return
		}
		switch {
		case child.Tag == 0:
			depth--
			continue
		case child.Children:
			depth++
		}
		location := child.AttrField(dwarf.AttrLocation)
		if location == nil || child.Tag != dwarf.TagVariable && child.Tag != dwarf.TagFormalParameter {
			continue
		}
		t := u.typeOf(u.origin(child))
		if !pointerValue(t).isKnown() {
			continue
		}
		u.unit.Locations(location, func(from, to uint64, expression []byte) {
			l := local{from: from, to: to, register: -1, typ: t}
			switch {
			case from >= to:
				return
			case len(expression) == 1 && expression[0] >= opReg0 && int(expression[0]-opReg0) < len(registerOf):
				l.register = registerOf[expression[0]-opReg0]
			case len(expression) > 1 && expression[0] == opFrame && belowCFA:
				offset, length := signed(expression[1:])
				if length != len(expression)-1 {
					return
				}
				l.offset = offset
			default:
				return
			}
			if l.register < 0 || from > 0 {
				d.locals[at] = append(d.locals[at], l)
			}
		})
	}
}

// Operations of location expressions (DWARF 5, section 7.7.1).
const (
	opReg0  = 0x50
	opFrame = 0x91 // DW_OP_fbreg
	opCFA   = 0x9c // DW_OP_call_frame_cfa
)

// registerOf are the registers by the numbers that debug information has for them (System V ABI of x86-64, figure 3.36).
var registerOf = [registers]int{rax, rdx, rcx, 3, rsi, rdi, rbp, rsp, 8, 9, 10, 11, 12, 13, 14, 15}

// signed takes an SLEB128, and tells how long it is; 0 for none.
func signed(b []byte) (n int64, length int) {
	for i, c := range b[:min(len(b), 9)] {
		n |= int64(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			if c&0x40 != 0 {
				n |= -1 << (7 * (i + 1))
			}
			return n, i + 1
		}
	}
	return 0, 0
}

func (u *unitTypes) next(r *dwarf.Reader) *dwarf.Entry {
	if *u.work--; *u.work < 0 {
		return nil
	}
	e, err := r.Next()
	if err != nil {
		*u.work = 0
		return nil
	}
	return e
}

// skip goes on behind the children of an entry that has just been read.
func (u *unitTypes) skip(e *dwarf.Entry) {
	if !e.Children {
		return
	}
	if sibling, ok := e.Val(dwarf.AttrSibling).(dwarf.Offset); ok && sibling > e.Offset {
		u.entries.Seek(sibling)
		return
	}
	for depth := 1; depth > 0; {
		switch child := u.next(u.entries); {
		case child == nil:
			return
		case child.Tag == 0:
			depth--
		case child.Children:
			depth++
		}
	}
}

func (u *unitTypes) entryAt(at dwarf.Offset) *dwarf.Entry {
	u.lookup.Seek(at)
	return u.next(u.lookup)
}

// children calls do with those of an entry, which must read nothing by lookup.
func (u *unitTypes) children(at dwarf.Offset, do func(*dwarf.Entry)) {
	e := u.entryAt(at)
	if e == nil || !e.Children {
		return
	}
	depth := 1
	for depth > 0 {
		e := u.next(u.lookup)
		if e == nil {
			return
		}
		if depth == 1 && e.Tag != 0 {
			do(e)
		}
		switch {
		case e.Tag == 0:
			depth--
		case e.Children:
			depth++
		}
	}
}

// mostOrigins is how often an entry may refer to another for what it does not say.
const mostOrigins = 4

// origin is the entry that has the name and the type of another: that itself, or the one of which it is a copy.
func (u *unitTypes) origin(e *dwarf.Entry) *dwarf.Entry {
	for range mostOrigins {
		from, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
		if !ok {
			from, ok = e.Val(dwarf.AttrSpecification).(dwarf.Offset)
		}
		if !ok {
			break
		}
		origin := u.entryAt(from)
		if origin == nil {
			break
		}
		e = origin
	}
	return e
}

// function notes a function, and returns the address of its code, if it has any.
func (u *unitTypes) function(d *declared, e *dwarf.Entry) (at uint64, ok bool) {
	origin := u.origin(e)
	if isPrototyped, ok := origin.Val(dwarf.AttrPrototyped).(bool); !ok || !isPrototyped {
		return 0, false
	}
	t := u.functionAt(origin)
	if name, ok := origin.Val(dwarf.AttrName).(string); ok {
		if external, ok := origin.Val(dwarf.AttrExternal).(bool); ok && external {
			add(d.named, name, t)
		}
	}
	if low, ok := e.Val(dwarf.AttrLowpc).(uint64); ok {
		d.functions[low] = t
		return low, true
	}
	if e.AttrField(dwarf.AttrRanges) == nil { // as it is when a part of it is elsewhere, as f.cold
		return 0, false
	}
	ranges, err := u.unit.Ranges(e)
	if err != nil {
		return 0, false
	}
	for _, r := range ranges { // one of them is where it begins
		if u.isFunction(r[0]) {
			d.functions[r[0]] = t
			return r[0], true
		}
	}
	return 0, false
}

func (u *unitTypes) variable(d *declared, e *dwarf.Entry) {
	t := u.typeOf(u.origin(e))
	if t == nil {
		return
	}
	const opAddr = 3
	if location, ok := e.Val(dwarf.AttrLocation).([]byte); ok && len(location) == 1+8 && location[0] == opAddr {
		d.variables = append(d.variables, variable{u.order.Uint64(location[1:]), t})
	}
	if name, ok := u.origin(e).Val(dwarf.AttrName).(string); ok {
		if declaration, ok := e.Val(dwarf.AttrDeclaration).(bool); ok && declaration {
			add(d.externs, name, t)
		}
	}
}
