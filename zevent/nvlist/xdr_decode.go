package nvlist

import (
	"bytes"
	"math"
)

// Sizes of the XDR encoding, in bytes.
const (
	xdrUnit            = 4 // all is padded to it
	xdrSizesBytes      = 8 // int32 encoded size, int32 decoded size; both 0 after the last pair of a list
	xdrTypeBytes       = 8 // int32 type, int32 elements
	xdrTerminatorBytes = xdrSizesBytes
)

// xdrPair finds a pair, and checks it all on the way to its end. Embedded lists
// stand where its value does. The encoded size is not looked at, as libnvpair
// does not: it counts 4 bytes too many for an empty array of numbers.
func (s *stream) xdrPair(p *pair, off int) (end int, err error) {
	if len(s.bytes)-off < xdrSizesBytes {
		return 0, s.errorf(off, "list is not terminated")
	}
	decoded := int32(s.uint32(off + 4))
	if decoded == 0 {
		*p = pair{end: off + xdrTerminatorBytes}
		return p.end, nil
	}
	if err := s.xdrHead(p, off+xdrSizesBytes); err != nil {
		return 0, err
	}
	native, err := s.xdrValue(p)
	if err != nil {
		return 0, err
	}
	if want := nativePairBytes(p.nameEnd-p.nameAt, native); want != int64(decoded) {
		return 0, s.errorf(off+4, "pair %q: %v of %d elements: decoded size %d: want %d", s.name(p), p.typ, p.elements, decoded, want)
	}
	return p.end, nil
}

// xdrHead reads the name, the type and the count of a pair.
func (s *stream) xdrHead(p *pair, off int) error {
	nameAt, nameEnd, next, err := s.xdrString(off)
	if err != nil {
		return err
	}
	if nameEnd-nameAt >= math.MaxInt16 {
		return s.errorf(nameAt, "name of %d bytes: want less than %d", nameEnd-nameAt, math.MaxInt16)
	}
	*p = pair{nameAt: nameAt, nameEnd: nameEnd, valueAt: next + xdrTypeBytes}
	if left := len(s.bytes) - next; left < xdrTypeBytes {
		return s.errorf(next, "pair %q: want %d bytes of type and count, got %d", s.name(p), xdrTypeBytes, left)
	}
	p.typ, p.elements = Type(s.uint32(next)), int32(s.uint32(next+4))
	if !p.typ.valid() {
		return s.errorf(next, "pair %q: unknown %v", s.name(p), p.typ)
	}
	if !p.typ.allows(p.elements) {
		return s.errorf(next, "pair %q: %v of %d elements", s.name(p), p.typ, p.elements)
	}
	return nil
}

// xdrValue finds where the value starts and ends, and returns how many bytes the
// native encoding takes for it.
func (s *stream) xdrValue(p *pair) (native int64, err error) {
	native = int64(p.elements) * int64(layouts[p.typ].width)
	switch element := layouts[p.typ].element; {
	case p.elements == 0 || p.typ.embeds():
		p.end = p.valueAt
	case element == String:
		p.end, native, err = s.xdrStrings(p)
	default:
		p.valueAt, p.end, err = s.xdrNumbers(p)
		if err == nil && element == BooleanValue {
			err = s.checkBooleans(p)
		}
	}
	return native, err
}

// xdrStrings returns the offset behind a STRING or STRING_ARRAY, and how many
// bytes the native encoding takes for it.
func (s *stream) xdrStrings(p *pair) (end int, native int64, err error) {
	if p.typ == StringArray {
		native = int64(p.elements) * pointerBytes
	}
	next := p.valueAt
	for range p.elements {
		var at, end int
		if at, end, next, err = s.xdrString(next); err != nil {
			return 0, 0, err
		}
		native += int64(end-at) + 1
	}
	return next, native, nil
}

// xdrString finds the string whose length is at off.
func (s *stream) xdrString(off int) (at, end, next int, err error) {
	left := len(s.bytes) - off - xdrUnit
	if left < 0 {
		return 0, 0, 0, s.errorf(off, "want the length of a string, got %d bytes", left+xdrUnit)
	}
	length := s.uint32(off)
	if int64(length) > int64(left) {
		return 0, 0, 0, s.errorf(off, "string of %d bytes in %d bytes", length, left)
	}
	at = off + xdrUnit
	end = at + int(length)
	if bytes.IndexByte(s.bytes[at:end], 0) >= 0 {
		return 0, 0, 0, s.errorf(at, "string %q: want no NUL", s.bytes[at:end])
	}
	next, err = s.xdrPadding(end)
	return at, end, next, err
}

// xdrNumbers returns the offsets of the numbers of a pair that has some, and
// behind them. They are counted a second time where the type is.
func (s *stream) xdrNumbers(p *pair) (at, end int, err error) {
	at = p.valueAt
	if p.typ.isCounted() {
		if len(s.bytes)-at < xdrUnit {
			return 0, 0, s.errorf(at, "pair %q: %v has no count", s.name(p), p.typ)
		}
		if count := s.uint32(at); int64(count) != int64(p.elements) {
			return 0, 0, s.errorf(at, "pair %q: %v of %d elements counts %d", s.name(p), p.typ, p.elements, count)
		}
		at += xdrUnit
	}
	length := int64(p.elements) * int64(s.stride(p.typ))
	if left := len(s.bytes) - at; length > int64(left) {
		return 0, 0, s.errorf(at, "pair %q: %v of %d elements in %d bytes", s.name(p), p.typ, p.elements, left)
	}
	if end, err = s.xdrPadding(at + int(length)); err != nil {
		return 0, 0, err
	}
	return at, end, s.xdrExtension(p, at)
}

// xdrPadding returns the offset behind the zeros that fill up a unit. All before
// off is whole units.
func (s *stream) xdrPadding(off int) (end int, err error) {
	end = align4(off)
	if end > len(s.bytes) {
		return 0, s.errorf(off, "want %d bytes of padding, got %d", end-off, len(s.bytes)-off)
	}
	for _, b := range s.bytes[off:end] {
		if b != 0 {
			return 0, s.errorf(off, "padding % x: want zeros", s.bytes[off:end])
		}
	}
	return end, nil
}

// xdrExtension checks that numbers narrower than a unit are extended by zeros,
// as the kernel does, or by their sign, as libnvpair does.
func (s *stream) xdrExtension(p *pair, at int) error {
	width := layouts[p.typ].width
	if s.stride(p.typ) == width {
		return nil
	}
	shift := 32 - 8*width
	for i := range int(p.elements) {
		u := s.uint32(at + i*xdrUnit)
		if u<<shift>>shift != u && uint32(int32(u<<shift)>>shift) != u {
			return s.errorf(at+i*xdrUnit, "pair %q: element %d of the %v is %#x: want %d bits", s.name(p), i, p.typ, u, 8*width)
		}
	}
	return nil
}

// nativePairBytes is the size of a pair in the native encoding, which its
// reader allocates.
func nativePairBytes(name int, value int64) int64 {
	return int64(align8(pairHeaderBytes+name+1)) + (value+7)&^7
}

func align4(n int) int { return (n + 3) &^ 3 }
