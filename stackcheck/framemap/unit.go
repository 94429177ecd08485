package framemap

import (
	"debug/dwarf"
	"debug/elf"
	"errors"
	"fmt"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// What gcc wrote for calls before DWARF 5, and what debug/dwarf has no name for.
const (
	tagGNUCallSite      = dwarf.Tag(0x4109)
	attrGNUTailCall     = dwarf.Attr(0x2115)
	attrLinkageNameMIPS = dwarf.Attr(0x2007)
)

// mostDepth bounds how deep entries may stand in others.
const mostDepth = 512

// Bounds on one function: what is asked of a map takes time by the product. The largest function of OpenZFS has 501 scopes and
// 205 variables.
const (
	mostScopes    = 1 << 13
	mostVariables = 1 << 14
)

// A unit is one that is being read.
type unit struct {
	locations
	data     *dwarf.Data
	reader   *dwarf.Reader // in the order of the entries
	lookup   *dwarf.Reader // of what entries refer to
	types    map[dwarf.Offset]typeInfo
	origins  map[dwarf.Offset]origin
	maps     []*Map
	err      error
	compiler string
	files    []string

	settled  int  // see mostSettled
	belowCFA bool // the frame's base is the CFA
}

// read reads the next entry; nil at the end, and after an error, which is kept if it is the main reader's.
func (u *unit) read(r *dwarf.Reader) *dwarf.Entry {
	if u.err != nil {
		return nil
	}
	e, err := r.Next()
	if err != nil && r == u.reader {
		u.err = err
	}
	if err != nil || e == nil {
		return nil
	}
	work := 1 + len(e.Field)
	for i := range e.Field {
		switch val := e.Field[i].Val.(type) {
		case string:
			work += len(val)
		case []byte:
			work += len(val)
		}
	}
	if !u.spend(work) {
		u.err = errMostWork
		return nil
	}
	return e
}

func (u *unit) entryAt(at dwarf.Offset) *dwarf.Entry {
	u.lookup.Seek(at)
	return u.read(u.lookup)
}

// skip goes on behind an entry's children.
func (u *unit) skip(r *dwarf.Reader, e *dwarf.Entry) {
	if !e.Children {
		return
	}
	if sibling, ok := e.Val(dwarf.AttrSibling).(dwarf.Offset); ok && sibling > e.Offset {
		r.Seek(sibling)
		return
	}
	for depth := 1; depth > 0; {
		switch child := u.read(r); {
		case child == nil:
			return
		case child.Tag == 0:
			depth--
		case child.Children:
			depth++
		}
	}
}

func (u *unit) readEntries() error {
	root := u.read(u.reader)
	if root == nil || root.Tag != dwarf.TagCompileUnit || !root.Children {
		return u.err
	}
	isWanted, err := u.hasWanted(root)
	if err != nil || !isWanted {
		return err
	}
	u.compiler, _ = root.Val(dwarf.AttrProducer).(string)
	u.locations.settle(root)
	if lines, ok := root.Val(dwarf.AttrStmtList).(int64); ok {
		directory, _ := root.Val(dwarf.AttrCompDir).(string)
		u.files = u.readFiles(lines, directory)
	}
	for {
		e := u.read(u.reader)
		if e == nil || e.Tag == 0 {
			return u.err
		}
		fn := u.codeOf(e)
		if fn == nil {
			u.skip(u.reader, e)
			continue
		}
		u.readFunction(e, fn)
	}
}

// hasWanted reports whether the unit has a function that is wanted.
func (u *unit) hasWanted(root *dwarf.Entry) (bool, error) {
	ranges, err := u.ranges(root)
	if err != nil {
		return false, err
	}
	for _, r := range ranges {
		if i, _ := slices.BinarySearch(u.wanted, r[0]); i < len(u.wanted) && u.wanted[i] < r[1] {
			return true, nil
		}
	}
	return false, nil
}

func (u *unit) ranges(e *dwarf.Entry) ([][2]uint64, error) {
	ranges, err := u.data.Ranges(e)
	if err == nil && !u.spend(len(ranges)) {
		err = errMostWork
	}
	return ranges, err
}

// codeOf returns the function of which the entry is the body, or nil: most entries are of types, of functions of other units, or of
// functions that were inlined and have no code of their own.
func (u *unit) codeOf(e *dwarf.Entry) *object.Function {
	if e.Tag != dwarf.TagSubprogram || !e.Children {
		return nil
	}
	if low, ok := e.Val(dwarf.AttrLowpc).(uint64); ok {
		return u.functionAt(low)
	}
	if e.AttrField(dwarf.AttrRanges) == nil { // as it is when a part of it is elsewhere, as f.cold
		return nil
	}
	ranges, err := u.ranges(e)
	if err != nil {
		u.err = err
		return nil
	}
	for _, r := range ranges {
		if fn := u.functionAt(r[0]); fn != nil {
			return fn
		}
	}
	return nil
}

// functionAt returns the function whose code begins at an address. That of aarch64 kernels begins with two NOPs, to be patched for tracing
// (-fpatchable-function-entry), which gcc leaves out of what it tells.
func (u *unit) functionAt(at uint64) *object.Function {
	const tracedBytes = 8
	if fn := u.functions[at]; fn != nil || u.file.Machine != elf.EM_AARCH64 {
		return fn
	}
	if fn := u.functions[at-tracedBytes]; fn != nil && fn.Size > tracedBytes {
		return fn
	}
	return nil
}

// readFunction reads the body of a function.
func (u *unit) readFunction(e *dwarf.Entry, fn *object.Function) {
	base, _ := e.Val(dwarf.AttrFrameBase).([]byte)
	u.belowCFA = len(base) == 1 && base[0] == opCFA
	m := &Map{Symbol: fn.Symbol, Address: fn.Start, Compiler: u.compiler, Scope: u.scope(e)}
	u.maps = append(u.maps, m)
	open := []*Scope{&m.Scope} // of each entry that is not closed
	scopes, variables := 0, 0
	calls := callSites{unit: u}
	defer calls.settle()
	for len(open) > 0 {
		e := u.read(u.reader)
		if e == nil {
			return
		}
		if e.Tag == 0 {
			open = open[:len(open)-1]
			continue
		}
		if scopes > mostScopes || variables > mostVariables {
			u.err = fmt.Errorf("%s has more than %d inlined functions, or %d variables; the file is damaged", fn.Symbol, mostScopes, mostVariables)
			return
		}
		scope := open[len(open)-1]
		switch e.Tag {
		case dwarf.TagLexDwarfBlock:
		case dwarf.TagInlinedSubroutine:
			inlined := u.scope(e)
			inlined.Site = u.position(e, dwarf.AttrCallFile, dwarf.AttrCallLine, dwarf.AttrCallColumn)
			scope.Inlined = append(scope.Inlined, &inlined)
			scope = &inlined
			scopes++
			if calls.ranges(scope, u.rangesOf(e)); u.err != nil {
				return
			}
		case dwarf.TagVariable, dwarf.TagFormalParameter:
			u.variable(scope, e)
			variables++
			u.skip(u.reader, e)
			continue
		case dwarf.TagCallSite, tagGNUCallSite:
			calls.add(scope, u.call(e), pcOf(e))
			u.skip(u.reader, e)
			continue
		default:
			u.skip(u.reader, e)
			continue
		}
		if e.Children {
			if open = append(open, scope); len(open) > mostDepth {
				u.err = errors.New("its entries stand too deep in each other; the file is damaged")
				return
			}
		}
	}
}

// scope returns that of a function's entry, or of one that was inlined, without content.
func (u *unit) scope(e *dwarf.Entry) Scope {
	o := u.origin(e, 0)
	return Scope{Function: o.name, Place: o.place, Local: !o.external}
}

func (u *unit) variable(scope *Scope, e *dwarf.Entry) {
	location := e.AttrField(dwarf.AttrLocation)
	if location == nil {
		return
	}
	o := u.origin(e, 0)
	t := u.typeOf(o.typ, 0)
	spans := u.spans(location, t.bytes)
	if len(spans) == 0 {
		return
	}
	scope.Variables = append(scope.Variables, Variable{Name: o.name, Type: t.name, Bytes: Bytes(spans), Place: o.place, Spans: spans})
}

func (u *unit) call(e *dwarf.Entry) Call {
	var c Call
	for _, attr := range []dwarf.Attr{dwarf.AttrCallTailCall, attrGNUTailCall} {
		if tail, ok := e.Val(attr).(bool); ok && tail {
			c.Tail = true
		}
	}
	for _, attr := range []dwarf.Attr{dwarf.AttrCallOrigin, dwarf.AttrAbstractOrigin} {
		if at, ok := e.Val(attr).(dwarf.Offset); ok {
			if callee := u.entryAt(at); callee != nil {
				o := u.origin(callee, 0)
				c.Callee = o.name
				if o.symbol != "" {
					c.Callee = o.symbol
				}
			}
		}
	}
	return c
}

// An origin is what is said once of all copies of a function, or of a variable.
type origin struct {
	name     string
	symbol   string // if it is not the name
	place    Position
	typ      dwarf.Offset
	external bool
}

// mostOrigins is how often an entry may refer to another for what it does not say: a copy to the abstract function, and
// that to its declaration.
const mostOrigins = 4

func (u *unit) origin(e *dwarf.Entry, depth int) origin {
	if known, ok := u.origins[e.Offset]; ok {
		return known
	}
	var o origin
	for _, attr := range []dwarf.Attr{dwarf.AttrAbstractOrigin, dwarf.AttrSpecification} {
		if at, ok := e.Val(attr).(dwarf.Offset); ok && depth < mostOrigins {
			if from := u.entryAt(at); from != nil {
				o = u.origin(from, depth+1)
			}
		}
	}
	if name, ok := e.Val(dwarf.AttrName).(string); ok {
		o.name = name
	}
	for _, attr := range []dwarf.Attr{dwarf.AttrLinkageName, attrLinkageNameMIPS} {
		if symbol, ok := e.Val(attr).(string); ok {
			o.symbol = symbol
		}
	}
	if place := u.position(e, dwarf.AttrDeclFile, dwarf.AttrDeclLine, dwarf.AttrDeclColumn); place.Line > 0 {
		if place.File == "" {
			place.File = o.place.File
		}
		o.place = place
	}
	if at, ok := e.Val(dwarf.AttrType).(dwarf.Offset); ok {
		o.typ = at
	}
	if external, ok := e.Val(dwarf.AttrExternal).(bool); ok {
		o.external = external
	}
	if depth > 0 { // others refer to it too
		u.origins[e.Offset] = o
	}
	return o
}

func (u *unit) position(e *dwarf.Entry, file, line, column dwarf.Attr) Position {
	number := func(attr dwarf.Attr) int {
		n, _ := e.Val(attr).(int64)
		if n < 0 || n > maxFrameBytes {
			return 0
		}
		return int(n)
	}
	p := Position{Line: number(line), Column: number(column)}
	if n, ok := e.Val(file).(int64); ok && n >= 0 && n < int64(len(u.files)) {
		p.File = u.files[n]
	}
	return p
}
