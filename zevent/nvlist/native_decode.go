package nvlist

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Sizes of the native encoding, in bytes.
const (
	versionBytes    = 8  // int32 version, uint32 nvflag of a list; so in XDR
	pairHeaderBytes = 16 // nvpair_t: int32 size, int16 name size, int16 reserve, int32 elements, int32 type
	minPairBytes    = 24 // header, the NUL of an empty name, padding
	terminatorBytes = 4  // int32 0 after the last pair of a list
	nvlistBytes     = 24 // packed nvlist_t of an embedded list
	pointerBytes    = 8  // zeroed pointer slot of a STRING_ARRAY or NVLIST_ARRAY element
)

// pair finds a pair, without the lists that it embeds, and the offset behind it.
// In the native encoding a pair has a size, and its lists stand behind it.
func (s *stream) pair(p *pair, off int) (end int, err error) {
	if s.header.Encoding == XDR {
		return s.xdrPair(p, off)
	}
	raw := s.bytes[off:]
	if len(raw) < pairHeaderBytes {
		return s.nativeEnd(p, off)
	}
	size, nameBytes, elements, t := s.nativeHeader(raw)
	if size < minPairBytes || size > len(raw) {
		return s.nativeEnd(p, off)
	}
	if nameBytes < 1 || pairHeaderBytes+nameBytes > size {
		return 0, s.errorf(off+4, "name size %d: want 1 to %d", nameBytes, size-pairHeaderBytes)
	}
	p.nameAt = off + pairHeaderBytes
	p.nameEnd = p.nameAt + nameBytes - 1
	p.valueAt = off + align8(pairHeaderBytes+nameBytes)
	p.end = off + size
	p.elements, p.typ = elements, t
	if p.valueAt > p.end {
		return 0, s.errorf(off, "pair %q: size %d ends inside its padded name", s.name(p), size)
	}
	if !t.valid() {
		return 0, s.errorf(off, "pair %q: unknown %v", s.name(p), t)
	}
	return p.end, nil
}

// nextNative does what pair does where all has been checked.
func (s *stream) nextNative(p *pair, off int) {
	p.typ = 0
	raw := s.bytes[off:]
	if len(raw) < minPairBytes {
		return
	}
	size, nameBytes, elements, t := s.nativeHeader(raw)
	if size == 0 {
		return
	}
	p.nameAt = off + pairHeaderBytes
	p.nameEnd = p.nameAt + nameBytes - 1
	p.valueAt = off + align8(pairHeaderBytes+nameBytes)
	p.end = off + size
	p.elements, p.typ = elements, t
}

// passNative passes pairs that embed nothing and have a name of no such length,
// which are most in a lookup. It does not go past the last pair.
func (s *stream) passNative(off int, lengths nameLengths) int {
	for raw := s.bytes[off:]; len(raw) >= minPairBytes; {
		size, nameBytes, _, t := s.nativeHeader(raw)
		if size == 0 || lengths.has(nameBytes-1) || t.embeds() {
			break
		}
		off, raw = off+size, raw[size:]
	}
	return off
}

// watch is where pairs are whose name has one of some lengths.
type watch struct {
	lengths nameLengths
	at      [16]int // their offsets
	n       int
}

func (w *watch) add(off int) {
	if w.n < len(w.at) {
		w.at[w.n] = off
	}
	w.n++
}

// nameLengths is a set of lengths. Those from 63 on are one.
type nameLengths uint64

func (l *nameLengths) add(length int) { *l |= 1 << min(length, 63) }

func (l nameLengths) has(length int) bool { return l>>min(uint(length), 63)&1 != 0 }

// nativeHeader reads a nvpair_t.
func (s *stream) nativeHeader(raw []byte) (size, nameBytes int, elements int32, t Type) {
	if raw = raw[:pairHeaderBytes]; s.bigEndian {
		o := binary.BigEndian
		return int(int32(o.Uint32(raw))), int(int16(o.Uint16(raw[4:]))), int32(o.Uint32(raw[8:])), Type(o.Uint32(raw[12:]))
	}
	o := binary.LittleEndian
	return int(int32(o.Uint32(raw))), int(int16(o.Uint16(raw[4:]))), int32(o.Uint32(raw[8:])), Type(o.Uint32(raw[12:]))
}

// nativeEnd reads the end of a list, where no pair can be.
func (s *stream) nativeEnd(p *pair, off int) (end int, err error) {
	left := len(s.bytes) - off
	if left < terminatorBytes {
		return 0, s.errorf(off, "list is not terminated")
	}
	if size := int32(s.uint32(off)); size != 0 {
		return 0, s.errorf(off, "pair size %d: want %d to the %d bytes left", size, minPairBytes, left)
	}
	*p = pair{end: off + terminatorBytes}
	return p.end, nil
}

// checkNative checks the name, and that the value takes the room that it has.
func (s *stream) checkNative(p *pair, off int) error {
	if indexNUL(s.bytes[p.nameAt:p.valueAt]) != p.nameEnd-p.nameAt {
		return s.errorf(p.nameAt, "name %q: want a NUL at its end only", s.bytes[p.nameAt:p.nameEnd+1])
	}
	if !p.typ.allows(p.elements) {
		return s.errorf(off, "pair %q: %v of %d elements", s.name(p), p.typ, p.elements)
	}
	element, length := layouts[p.typ].element, int64(p.elements)*int64(layouts[p.typ].width)
	if element == String {
		var err error
		if length, err = s.nativeStringBytes(p); err != nil {
			return err
		}
	}
	if room := int64(p.end - p.valueAt); (length+7)&^7 != room {
		size, want := p.end-off, int64(p.valueAt-off)+(length+7)&^7
		return s.errorf(off, "pair %q: %v of %d elements: size %d: want %d", s.name(p), p.typ, p.elements, size, want)
	}
	if element == BooleanValue {
		return s.checkBooleans(p)
	}
	return nil
}

// passUsual passes pairs in which pair and checkNative find nothing wrong, as long as they are of the usual
// types, one number or one string in little-endian order, in half the time.
func (s *stream) passUsual(off int, w *watch) int {
	if s.bigEndian {
		return off
	}
	for raw := s.bytes[off:]; len(raw) >= minPairBytes; {
		head := raw[:pairHeaderBytes]
		size, nameBytes := int(int32(binary.LittleEndian.Uint32(head))), int(int16(binary.LittleEndian.Uint16(head[4:])))
		elements, t := binary.LittleEndian.Uint32(head[8:]), binary.LittleEndian.Uint32(head[12:])
		valueAt := align8(pairHeaderBytes + nameBytes)
		if size < minPairBytes || size > len(raw) || nameBytes < 1 || valueAt > size || elements != 1 || t >= uint32(len(rooms)) {
			break
		}
		if indexNUL(raw[pairHeaderBytes:valueAt]) != nameBytes-1 {
			break
		}
		room := rooms[t]
		if Type(t) == String {
			if room = indexNUL(raw[valueAt:size]); room >= 0 {
				room = align8(room + 1)
			}
		}
		if room <= 0 || valueAt+room != size {
			break
		}
		if w.lengths.has(nameBytes - 1) {
			w.add(off)
		}
		off, raw = off+size, raw[size:]
	}
	return off
}

// rooms is how many bytes a number takes, by type. Of other types it is 0.
var rooms = [...]int{
	Byte: 8, Int8: 8, Uint8: 8, Int16: 8, Uint16: 8, Int32: 8, Uint32: 8, Int64: 8, Uint64: 8, HRTime: 8, Double: 8,
}

// indexNUL is the index of the first NUL of words, which are whole and mostly
// few, or -1.
func indexNUL(words []byte) int {
	const low, high = 0x0101010101010101, 0x8080808080808080
	for at := 0; at+8 <= len(words); at += 8 {
		w := binary.LittleEndian.Uint64(words[at:])
		if zeros := (w - low) &^ w & high; zeros != 0 { // its lowest bit is in the first zero byte
			return at + bits.TrailingZeros64(zeros)/8
		}
	}
	return -1
}

// nativeStringBytes measures the pointer slots of an array and the strings with
// their NULs. It never trusts the count further than the bytes that are there.
func (s *stream) nativeStringBytes(p *pair) (int64, error) {
	value := s.bytes[p.valueAt:p.end]
	if p.typ == String {
		length := indexNUL(value)
		if length < 0 {
			return 0, s.errorf(p.valueAt, "pair %q: STRING is not terminated", s.name(p))
		}
		return int64(length) + 1, nil
	}
	n := int64(p.elements) * pointerBytes
	if n > int64(len(value)) {
		return 0, s.errorf(p.valueAt, "pair %q: %v of %d elements in %d bytes", s.name(p), p.typ, p.elements, len(value))
	}
	for i := range p.elements {
		length := bytes.IndexByte(value[n:], 0)
		if length < 0 {
			return 0, s.errorf(p.valueAt, "pair %q: element %d of the %v is not terminated", s.name(p), i, p.typ)
		}
		n += int64(length) + 1
	}
	return n, nil
}

// nativeHead is the offset of the nvlist_t of the i-th embedded list.
func (p *pair) nativeHead(i int) int {
	head := p.valueAt + i*nvlistBytes
	if p.typ == NVListArray {
		head += int(p.elements) * pointerBytes
	}
	return head
}

func align8(n int) int { return (n + 7) &^ 7 }
