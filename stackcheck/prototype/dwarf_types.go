package prototype

import (
	"debug/dwarf"
)

// functionAt is the type of a function, or that of what a pointer to one leads to: both have parameters as children.
func (u *unitTypes) functionAt(e *dwarf.Entry) *ctype {
	if known, ok := u.types[e.Offset]; ok {
		return known
	}
	t := &ctype{kind: function}
	u.types[e.Offset] = t
	t.expand = func(t *ctype) {
		t.elem = u.typeOf(e)
		var parameters []*dwarf.Entry
		u.children(e.Offset, func(child *dwarf.Entry) {
			switch child.Tag {
			case dwarf.TagFormalParameter:
				parameters = append(parameters, child)
			case dwarf.TagUnspecifiedParameters:
				t.variadic = true
			}
		})
		for _, p := range parameters[:min(len(parameters), mostParameters)] {
			t.members = append(t.members, member{typ: orVoid(u.typeOf(u.origin(p)))})
		}
	}
	return t
}

func orVoid(t *ctype) *ctype {
	if t == nil {
		return void
	}
	return t
}

// typeOf is the type that an entry has; nil for none.
func (u *unitTypes) typeOf(e *dwarf.Entry) *ctype {
	at, ok := e.Val(dwarf.AttrType).(dwarf.Offset)
	if !ok {
		return nil
	}
	return u.typeAt(at, 0)
}

// typeAt is the type at an offset, without typedefs and qualifiers; nil for void.
func (u *unitTypes) typeAt(at dwarf.Offset, depth int) *ctype {
	if known, ok := u.types[at]; ok {
		return known
	}
	if depth == mostNested {
		return nil
	}
	e := u.entryAt(at)
	if e == nil {
		return nil
	}
	var t *ctype
	size, _ := e.Val(dwarf.AttrByteSize).(int64)
	tag, _ := e.Val(dwarf.AttrName).(string)
	switch e.Tag {
	case dwarf.TagTypedef, dwarf.TagConstType, dwarf.TagVolatileType, dwarf.TagRestrictType, dwarf.TagAtomicType:
		if of, ok := e.Val(dwarf.AttrType).(dwarf.Offset); ok {
			t = u.typeAt(of, depth+1)
		}
	case dwarf.TagPointerType:
		t = pointerTo(nil)
		t.expand = func(t *ctype) { t.elem = u.typeOf(e) }
	case dwarf.TagSubroutineType:
		t = u.functionAt(e)
	case dwarf.TagStructType, dwarf.TagUnionType:
		keyword := "struct"
		if e.Tag == dwarf.TagUnionType {
			keyword = "union"
		}
		t = recordOf(keyword, tag, size)
		t.expand = func(t *ctype) { t.members = u.members(e) }
	case dwarf.TagArrayType:
		t = u.arrayOf(e, depth)
	case dwarf.TagEnumerationType:
		t = numberOf(size, false)
	case dwarf.TagBaseType:
		t = baseType(e, tag, size)
	default:
		t = &ctype{name: tag, size: size}
	}
	u.types[at] = t
	return t
}

// Encodings of base types (DWARF 5, section 7.8).
const (
	ateBoolean      = 2
	ateSigned       = 5
	ateSignedChar   = 6
	ateUnsigned     = 7
	ateUnsignedChar = 8
)

func baseType(e *dwarf.Entry, name string, size int64) *ctype {
	switch encoding, _ := e.Val(dwarf.AttrEncoding).(int64); encoding {
	case ateBoolean:
		return &ctype{kind: number, name: "bool", size: size}
	case ateSigned, ateSignedChar:
		return numberOf(size, true)
	case ateUnsigned, ateUnsignedChar:
		return numberOf(size, false)
	}
	return &ctype{name: name, size: size}
}

func (u *unitTypes) members(e *dwarf.Entry) (all []member) {
	var entries []*dwarf.Entry
	u.children(e.Offset, func(child *dwarf.Entry) {
		if child.Tag == dwarf.TagMember {
			entries = append(entries, child)
		}
	})
	for _, m := range entries {
		if t := u.typeOf(m); t != nil && m.AttrField(dwarf.AttrBitSize) == nil {
			offset, _ := m.Val(dwarf.AttrDataMemberLoc).(int64)
			all = append(all, member{offset, t})
		}
	}
	return all
}

// arrayOf is an array by the product of its dimensions.
func (u *unitTypes) arrayOf(e *dwarf.Entry, depth int) *ctype {
	t := &ctype{kind: array, count: 1}
	if of, ok := e.Val(dwarf.AttrType).(dwarf.Offset); ok {
		t.elem = u.typeAt(of, depth+1)
	}
	u.children(e.Offset, func(child *dwarf.Entry) {
		if child.Tag != dwarf.TagSubrangeType {
			return
		}
		n, ok := child.Val(dwarf.AttrCount).(int64)
		if upper, isBound := child.Val(dwarf.AttrUpperBound).(int64); isBound {
			n, ok = upper+1, true
		}
		if !ok || n < 0 || n > mostElements || t.count > mostElements {
			n = 0
		}
		t.count *= n
	})
	if t.elem != nil {
		t.size = t.count * t.elem.size
	}
	return t
}

// mostElements bounds an array's.
const mostElements = 1 << 24
