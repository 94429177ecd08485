package prototype

import (
	"fmt"
	"strings"
)

// A kind tells what a type is. Qualifiers and typedefs are no types here.
type kind uint8

const (
	other    kind = iota // void, and what no pointer is in
	number               // an integer, or an enumeration
	pointer              // to elem
	record               // a structure or a union of members
	array                // of count elems
	function             // returns elem, takes members
)

// ctype is a type of C. What it is made of is read when it is first asked for: of most types of a unit nobody asks.
type ctype struct {
	kind     kind
	name     string // of a number or record, as prototypes have it
	size     int64  // bytes; 0 when it is not known
	variadic bool
	count    int64 // of an array; 0 when it is not known

	elem    *ctype
	members []member
	expand  func(*ctype) // nil once elem and members are there
	key     string       // see prototype
}

// member is one of a record, or a parameter.
type member struct {
	offset int64
	typ    *ctype
}

var void = &ctype{name: "void"}

func (t *ctype) complete() *ctype {
	if expand := t.expand; expand != nil {
		t.expand = nil // first: a type may be made of itself
		expand(t)
	}
	return t
}

// pointee is what a pointer leads to; void for none.
func (t *ctype) pointee() *ctype {
	if t == nil || t.kind != pointer || t.complete().elem == nil {
		return void
	}
	return t.elem
}

// mostNested bounds how deep types are looked into.
const mostNested = 32

// at is the type of the pointer at an offset of a type, and whether the offset lies in an array; nil if none is there.
func (t *ctype) at(offset int64, depth int) (found *ctype, inArray bool) {
	if depth == mostNested || t == nil || offset < 0 {
		return nil, false
	}
	switch t.complete(); t.kind {
	case pointer:
		if offset == 0 {
			return t, false
		}
	case array:
		if t.elem == nil || t.elem.size <= 0 || t.count > 0 && offset >= t.count*t.elem.size {
			return nil, false
		}
		found, _ = t.elem.at(offset%t.elem.size, depth+1)
		return found, true
	case record:
		return t.memberAt(offset, depth)
	}
	return nil, false
}

func (t *ctype) memberAt(offset int64, depth int) (found *ctype, inArray bool) {
	for i := range t.members {
		m := &t.members[i]
		size := m.typ.size
		if m.typ.kind == array && m.typ.complete().count == 0 { // it goes on behind the structure
			size = offset + 1
		}
		if offset < m.offset || offset >= m.offset+size {
			continue
		}
		each, isArray := m.typ.at(offset-m.offset, depth+1)
		if each == nil {
			continue
		}
		if found != nil && found.text() != each.text() { // of a union
			return nil, false
		}
		found, inArray = each, inArray || isArray
	}
	return found, inArray
}

// text is the type in a prototype.
func (t *ctype) text() string {
	if t == nil {
		return void.name
	}
	if t.key == "" {
		t.key = t.write(0)
	}
	return t.key
}

// mostWritten bounds how deep a type is written out, and mostParameters how many parameters it may have.
const (
	mostWritten    = 8
	mostParameters = 64
)

func (t *ctype) write(depth int) string {
	if t == nil {
		return void.name
	}
	if depth == mostWritten {
		return "..."
	}
	switch t.kind {
	case pointer:
		return t.pointee().write(depth+1) + "*"
	case array: // a parameter of this type is a pointer
		return t.complete().elem.write(depth+1) + "*"
	case function:
		t.complete()
		var b strings.Builder
		b.WriteString(t.elem.write(depth + 1))
		b.WriteByte('(')
		for i, m := range t.members {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(m.typ.write(depth + 1))
		}
		if t.variadic {
			b.WriteString(",...")
		}
		b.WriteByte(')')
		return b.String()
	}
	return t.name
}

// numberOf is a number of so many bytes. Bytes have one type, whatever their sign: char has the one or the other.
func numberOf(size int64, signed bool) *ctype {
	name := fmt.Sprintf("u%d", 8*size)
	switch {
	case size == 1:
		name = "char"
	case signed:
		name = fmt.Sprintf("i%d", 8*size)
	}
	return &ctype{kind: number, name: name, size: size}
}

// recordOf is a structure or a union by its tag, which may be empty.
func recordOf(keyword, tag string, size int64) *ctype {
	if tag == "" {
		tag = fmt.Sprintf("{%d}", size)
	}
	return &ctype{kind: record, name: keyword + " " + tag, size: size}
}

// pointerTo is a pointer of 8 bytes.
func pointerTo(t *ctype) *ctype { return &ctype{kind: pointer, size: pointerBytes, elem: t} }

const pointerBytes = 8
