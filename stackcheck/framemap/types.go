package framemap

import (
	"debug/dwarf"
	"fmt"
)

// mostTypes is how many types one may be made of: pointers to arrays of typedefs. What is deeper has no name and no size.
const mostTypes = 24

// A typeInfo is what is known of a type.
type typeInfo struct {
	name  string
	bytes int64 // 0 when it is not known
}

// typeOf returns the type at an offset.
func (u *unit) typeOf(at dwarf.Offset, depth int) typeInfo {
	if known, ok := u.types[at]; ok {
		return known
	}
	if depth == mostTypes {
		return typeInfo{name: "..."}
	}
	e := u.entryAt(at)
	if e == nil {
		return typeInfo{}
	}
	t := u.makeType(e, depth)
	if len(t.name) > mostNameBytes {
		t.name = t.name[:mostNameBytes] + "..."
	}
	u.types[at] = t
	return t
}

// mostNameBytes bounds the names of types, which are made of those of others.
const mostNameBytes = 200

func (u *unit) makeType(e *dwarf.Entry, depth int) typeInfo {
	name, _ := e.Val(dwarf.AttrName).(string)
	bytes, _ := e.Val(dwarf.AttrByteSize).(int64)
	inner := func() typeInfo {
		if at, ok := e.Val(dwarf.AttrType).(dwarf.Offset); ok {
			return u.typeOf(at, depth+1)
		}
		return typeInfo{name: "void"}
	}
	tagged := func(keyword string) typeInfo {
		if name == "" {
			return typeInfo{keyword, bytes}
		}
		return typeInfo{keyword + " " + name, bytes}
	}
	switch e.Tag {
	case dwarf.TagStructType, dwarf.TagClassType:
		return tagged("struct")
	case dwarf.TagUnionType:
		return tagged("union")
	case dwarf.TagEnumerationType:
		return tagged("enum")
	case dwarf.TagPointerType:
		if bytes == 0 {
			bytes = int64(u.reader.AddressSize())
		}
		return typeInfo{inner().name + " *", bytes}
	case dwarf.TagConstType, dwarf.TagVolatileType, dwarf.TagRestrictType:
		t := inner()
		switch e.Tag {
		case dwarf.TagConstType:
			t.name = "const " + t.name
		case dwarf.TagVolatileType:
			t.name = "volatile " + t.name
		}
		return t
	case dwarf.TagTypedef:
		return typeInfo{name, inner().bytes}
	case dwarf.TagSubroutineType:
		return typeInfo{name: "function"}
	case dwarf.TagArrayType:
		return u.arrayOf(e, inner(), bytes)
	}
	return typeInfo{name, bytes}
}

// arrayOf reads the dimensions, which are the children of an array's entry. One whose size is known at run time alone has 0 bytes.
func (u *unit) arrayOf(e *dwarf.Entry, element typeInfo, bytes int64) typeInfo {
	t := typeInfo{element.name, element.bytes}
	if !e.Children {
		return t
	}
	u.entryAt(e.Offset)
	for {
		child := u.read(u.lookup)
		if child == nil || child.Tag == 0 {
			break
		}
		count, known := dimension(child)
		u.skip(u.lookup, child)
		if !known || count < 0 || t.bytes > 0 && count > maxFrameBytes/t.bytes {
			t.name, t.bytes = t.name+"[]", 0
			continue
		}
		t.name, t.bytes = fmt.Sprintf("%s[%d]", t.name, count), t.bytes*count
		if len(t.name) > mostNameBytes {
			break
		}
	}
	if bytes > 0 {
		t.bytes = bytes
	}
	return t
}

func dimension(e *dwarf.Entry) (count int64, known bool) {
	if n, ok := e.Val(dwarf.AttrCount).(int64); ok {
		return n, true
	}
	n, ok := e.Val(dwarf.AttrUpperBound).(int64)
	return n + 1, ok && n < maxFrameBytes
}
