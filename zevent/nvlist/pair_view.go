package nvlist

import (
	"bytes"
	"iter"
	"math"
)

// PairView is one pair of a [View]. Its values are read from the stream when
// asked for. A value that is not an array is the element 0. The zero PairView
// has no value of any type.
type PairView struct {
	stream stream
	pair
}

// Name returns the bytes of the name in the stream, which may be no UTF-8.
func (p *PairView) Name() []byte { return p.stream.name(&p.pair) }

// Offset is where the pair is, for [View.Load].
func (p *PairView) Offset() int {
	if p.stream.header.Encoding == XDR {
		return p.nameAt - xdrUnit - xdrSizesBytes
	}
	return p.nameAt - pairHeaderBytes
}

// Type returns the data type.
func (p *PairView) Type() Type { return p.typ }

// Len returns the number of elements: 0 of a BOOLEAN, 1 of what is not an array.
func (p *PairView) Len() int { return int(p.elements) }

// Uint returns the i-th element of a BYTE, a UINT of any width or an array of
// them; false if the pair has no such element.
func (p *PairView) Uint(i int) (uint64, bool) {
	if p.typ == Uint64 && i == 0 { // the usual one
		return p.stream.uint64(p.valueAt), true
	}
	switch p.elementType(i) {
	case Byte, Uint8, Uint16, Uint32, Uint64:
		return p.stream.bits(&p.pair, i), true
	}
	return 0, false
}

// Int returns the i-th element of an INT of any width, a HRTIME or an array of
// them; false if the pair has no such element.
func (p *PairView) Int(i int) (int64, bool) {
	switch p.elementType(i) {
	case Int8:
		return int64(int8(p.stream.bits(&p.pair, i))), true
	case Int16:
		return int64(int16(p.stream.bits(&p.pair, i))), true
	case Int32:
		return int64(int32(p.stream.bits(&p.pair, i))), true
	case Int64, HRTime:
		return int64(p.stream.bits(&p.pair, i)), true
	}
	return 0, false
}

// Bool returns the i-th element of a BOOLEAN_VALUE or BOOLEAN_ARRAY; false if
// the pair has no such element. A BOOLEAN has none: its presence is its value.
func (p *PairView) Bool(i int) (v, ok bool) {
	if p.elementType(i) != BooleanValue {
		return false, false
	}
	return p.stream.bits(&p.pair, i) == 1, true
}

// Float64 returns the value of a DOUBLE.
func (p *PairView) Float64() (float64, bool) {
	if p.typ != Double {
		return 0, false
	}
	return math.Float64frombits(p.stream.bits(&p.pair, 0)), true
}

// Bytes returns the bytes in the stream of a STRING, without the NUL, or of a
// BYTE_ARRAY.
func (p *PairView) Bytes() ([]byte, bool) {
	switch p.typ {
	case String:
		at, end, _ := p.stream.stringAt(p.valueAt)
		return p.stream.bytes[at:end], true
	case ByteArray:
		return p.stream.bytes[p.valueAt:][:p.elements], true
	}
	return nil, false
}

// Strings iterates over the elements of a STRING or STRING_ARRAY, each the
// bytes in the stream, without the NUL. Other types have none.
func (p *PairView) Strings() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if p.elementType(0) != String {
			return
		}
		next := p.stream.firstString(&p.pair)
		for range p.elements {
			var at, end int
			at, end, next = p.stream.stringAt(next)
			if !yield(p.stream.bytes[at:end]) {
				return
			}
		}
	}
}

// List returns the list of a NVLIST.
func (p *PairView) List() (View, bool) {
	if p.typ != NVList {
		return View{}, false
	}
	l, err := p.stream.embedded(&p.pair, 0, p.end)
	return View{stream: p.stream, list: l}, err == nil
}

// Lists iterates over the elements of a NVLIST or NVLIST_ARRAY. Other types
// have none.
func (p *PairView) Lists() iter.Seq[View] {
	return func(yield func(View) bool) {
		if !p.typ.embeds() {
			return
		}
		off := p.end
		for i := range int(p.elements) {
			l, err := p.stream.embedded(&p.pair, i, off)
			if err != nil || !yield(View{stream: p.stream, list: l}) {
				return
			}
			if off, err = p.stream.skipPairs(l.pairs, 0, false); err != nil {
				return
			}
		}
	}
}

// elementType is the type of the i-th element, 0 if there is none.
func (p *pair) elementType(i int) Type {
	if i < 0 || i >= int(p.elements) {
		return 0
	}
	return layouts[p.typ].element
}

// bits is the i-th number of a pair that has one, without sign.
func (s *stream) bits(p *pair, i int) uint64 {
	width, stride := layouts[p.typ].width, s.stride(p.typ)
	at := p.valueAt + i*stride
	switch stride {
	case 1:
		return uint64(s.bytes[at])
	case 2:
		return uint64(s.uint16(at))
	case 4:
		return uint64(s.uint32(at)) & (1<<(8*width) - 1)
	}
	return s.uint64(at)
}

// stride is how many bytes an element takes that has a width: XDR has no unit
// smaller than 4, but for the opaque bytes of a BYTE_ARRAY.
func (s *stream) stride(t Type) int {
	width := layouts[t].width
	if s.header.Encoding == XDR && t != ByteArray {
		return max(width, xdrUnit)
	}
	return width
}

// firstString is the offset of the first string of a STRING or STRING_ARRAY.
func (s *stream) firstString(p *pair) int {
	if p.typ == StringArray && s.header.Encoding == Native {
		return p.valueAt + int(p.elements)*pointerBytes
	}
	return p.valueAt
}

// stringAt finds the string at off, which has been checked, and the next.
func (s *stream) stringAt(off int) (at, end, next int) {
	if s.header.Encoding == XDR {
		at = off + xdrUnit
		end = at + int(s.uint32(off))
		return at, end, align4(end)
	}
	end = off + bytes.IndexByte(s.bytes[off:], 0)
	return off, end, end + 1
}
