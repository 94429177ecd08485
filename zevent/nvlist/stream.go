package nvlist

import (
	"encoding/binary"
	"fmt"
)

// MaxDepth is how deep lists may be embedded in the outermost: libnvpair's
// limit in userland. The kernel's is 20.
const MaxDepth = 100

// stream is a packed list. [stream.pair] takes nothing for granted; the rest takes it
// that all has been checked.
type stream struct {
	bytes     []byte
	header    Header
	bigEndian bool // what numbers are in
}

// list is where a list is.
type list struct {
	pairs int // offset of the first
	flags uint32
}

// pair is where a pair is. It is filled in place: to return one for each pair
// takes longer than to find it.
type pair struct {
	nameAt   int // offset in the stream, as the next three
	nameEnd  int
	valueAt  int // in XDR behind the count
	end      int // where the next pair starts, or the first embedded list
	elements int32
	typ      Type // 0 is the end of the list
}

func (s *stream) errorf(off int, format string, args ...any) error {
	return &DecodeError{Offset: off, What: fmt.Sprintf(format, args...)}
}

// list reads the version and nvflag that start every list; head is their offset.
func (s *stream) list(head, pairs int) (list, error) {
	if left := len(s.bytes) - head; left < versionBytes {
		return list{}, s.errorf(head, "want %d bytes of version and flags, got %d", versionBytes, left)
	}
	if version := int32(s.uint32(head)); version != 0 {
		return list{}, s.errorf(head, "list version %d: want 0", version)
	}
	return list{pairs: pairs, flags: s.uint32(head + 4)}, nil
}

// embedded reads the head of the i-th list of a pair; off is behind the one
// before it.
func (s *stream) embedded(p *pair, i, off int) (list, error) {
	if s.header.Encoding == XDR {
		return s.list(off, off+versionBytes)
	}
	return s.list(p.nativeHead(i), off)
}

// next finds a pair in a list that has been checked, and the offset behind it;
// false at the end.
func (s *stream) next(p *pair, off int) (end int, ok bool) {
	if s.header.Encoding == Native { // as that of the zero View
		s.nextNative(p, off)
	} else if _, err := s.xdrPair(p, off); err != nil {
		return 0, false
	}
	if !p.typ.embeds() {
		return p.end, p.typ != 0
	}
	end, err := s.skipLists(p, 0, false)
	return end, err == nil
}

// nextOf does what next does, and may pass pairs that have a name of no such length.
func (s *stream) nextOf(p *pair, off int, lengths nameLengths) (end int, ok bool) {
	if s.header.Encoding == Native {
		off = s.passNative(off, lengths)
	}
	return s.next(p, off)
}

// skipPairs returns the offset behind a list that is embedded in depth others.
// With check it checks names and values too.
func (s *stream) skipPairs(off, depth int, check bool) (end int, err error) {
	var w watch
	return s.watchPairs(off, depth, check, &w)
}

// watchPairs does what skipPairs does, and with check of the native encoding tells the pairs of the list that are watched for.
func (s *stream) watchPairs(off, depth int, check bool, w *watch) (end int, err error) {
	if depth > MaxDepth {
		return 0, s.errorf(off, "lists are embedded more than %d deep", MaxDepth)
	}
	check = check && s.header.Encoding == Native // finding a pair in XDR has checked it
	var p pair
	for {
		if check {
			off = s.passUsual(off, w)
		}
		if end, err = s.pair(&p, off); err != nil || p.typ == 0 {
			return end, err
		}
		if check {
			if err := s.checkNative(&p, off); err != nil {
				return 0, err
			}
			if w.lengths.has(p.nameEnd - p.nameAt) {
				w.add(off)
			}
		}
		if p.typ.embeds() {
			if end, err = s.skipLists(&p, depth, check); err != nil {
				return 0, err
			}
		}
		off = end
	}
}

// skipLists returns the offset behind the lists that a pair embeds.
func (s *stream) skipLists(p *pair, depth int, check bool) (end int, err error) {
	end = p.end
	for i := range int(p.elements) {
		l, err := s.embedded(p, i, end)
		if err != nil {
			return 0, err
		}
		if end, err = s.skipPairs(l.pairs, depth+1, check); err != nil {
			return 0, err
		}
	}
	return end, nil
}

// checkBooleans checks boolean_t, a C enum of 4 bytes that must be 0 or 1.
func (s *stream) checkBooleans(p *pair) error {
	for i := range int(p.elements) {
		if v := s.bits(p, i); v > 1 {
			return s.errorf(p.valueAt, "pair %q: boolean value %d: want 0 or 1", s.name(p), v)
		}
	}
	return nil
}

func (s *stream) name(p *pair) []byte { return s.bytes[p.nameAt:p.nameEnd] }

func (s *stream) uint16(off int) uint16 {
	if s.bigEndian {
		return binary.BigEndian.Uint16(s.bytes[off:])
	}
	return binary.LittleEndian.Uint16(s.bytes[off:])
}

func (s *stream) uint32(off int) uint32 {
	if s.bigEndian {
		return binary.BigEndian.Uint32(s.bytes[off:])
	}
	return binary.LittleEndian.Uint32(s.bytes[off:])
}

func (s *stream) uint64(off int) uint64 {
	if s.bigEndian {
		return binary.BigEndian.Uint64(s.bytes[off:])
	}
	return binary.LittleEndian.Uint64(s.bytes[off:])
}
