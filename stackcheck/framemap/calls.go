package framemap

import "debug/dwarf"

// callSites collects the calls of a function. gcc writes those of an inlined function among its entries; clang writes all among
// those of the function itself, so that their addresses have to tell.
type callSites struct {
	unit *unit
	all  []callSite
	code map[*Scope][][2]uint64 // of inlined functions
}

// mostSettled bounds how many pieces of code the calls of one unit are looked for in.
const mostSettled = 1 << 26

type callSite struct {
	Call
	scope *Scope // that has the entry
	pc    uint64 // of the call, or a byte of it; 0 when it is not known
}

func (c *callSites) add(scope *Scope, call Call, pc uint64) {
	c.all = append(c.all, callSite{call, scope, pc})
}

// ranges notes where the code of a scope lies.
func (c *callSites) ranges(scope *Scope, code [][2]uint64) {
	if c.code == nil {
		c.code = make(map[*Scope][][2]uint64)
	}
	c.code[scope] = code
}

// settle gives each call to the innermost scope that has it.
func (c *callSites) settle() {
	for _, site := range c.all {
		scope := site.scope
		for inner := scope; inner != nil; {
			scope, inner = inner, c.within(inner, site.pc)
		}
		scope.Calls = append(scope.Calls, site.Call)
	}
}

// within returns the function inlined into a scope that has the code at an address, or nil.
func (c *callSites) within(scope *Scope, pc uint64) *Scope {
	for _, inlined := range scope.Inlined {
		if c.unit.settled += 1 + len(c.code[inlined]); c.unit.settled > mostSettled {
			c.unit.err = errMostWork
			return nil
		}
		for _, r := range c.code[inlined] {
			if r[0] <= pc && pc < r[1] {
				return inlined
			}
		}
	}
	return nil
}

// rangesOf returns where the code of an entry lies.
func (u *unit) rangesOf(e *dwarf.Entry) [][2]uint64 {
	ranges, err := u.ranges(e)
	if err != nil {
		u.err = err
	}
	return ranges
}

// pcOf returns an address within a call's instruction: debug information has that of the next one, or of the call.
func pcOf(e *dwarf.Entry) uint64 {
	if pc, ok := e.Val(dwarf.AttrCallPC).(uint64); ok {
		return pc
	}
	for _, attr := range []dwarf.Attr{dwarf.AttrCallReturnPC, dwarf.AttrLowpc} {
		if pc, ok := e.Val(attr).(uint64); ok && pc > 0 {
			return pc - 1
		}
	}
	return 0
}
