package nvlist

import (
	"encoding/binary"
	"fmt"
	"math"
)

type nativeEncoder struct {
	b     []byte
	order byteOrder
}

// byteOrder puts and appends; both orders of encoding/binary do.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// usualPairBytes is about what a pair of an event takes.
const usualPairBytes = 48

func newNativeEncoder(h Header, pairs int) *nativeEncoder {
	e := &nativeEncoder{b: h.append(make([]byte, 0, (pairs+2)*usualPairBytes)), order: binary.LittleEndian}
	if h.BigEndian {
		e.order = binary.BigEndian
	}
	return e
}

// list appends the outermost list.
func (e *nativeEncoder) list(l List) error {
	e.uint32(0) // version
	e.uint32(l.Flags)
	return e.pairs(l.Pairs, 0)
}

func (e *nativeEncoder) uint32(v uint32) { e.b = e.order.AppendUint32(e.b, v) }
func (e *nativeEncoder) uint64(v uint64) { e.b = e.order.AppendUint64(e.b, v) }
func (e *nativeEncoder) zero(n int)      { e.b = append(e.b, make([]byte, n)...) }

// pad aligns to 8 from the start of the pair. Pairs themselves are not
// aligned in the stream: a 4-byte terminator may precede them.
func (e *nativeEncoder) pad(start int) {
	for (len(e.b)-start)%8 != 0 {
		e.b = append(e.b, 0)
	}
}

func (e *nativeEncoder) pairs(pairs []Pair, depth int) error {
	if depth > MaxDepth {
		return errDepth
	}
	for _, p := range pairs {
		if err := e.pair(p, depth); err != nil {
			return fmt.Errorf("pair %q: %w", p.Name, err)
		}
	}
	e.uint32(0)
	return nil
}

func (e *nativeEncoder) pair(p Pair, depth int) error {
	elements, err := p.elements()
	if err != nil {
		return err
	}
	start := len(e.b)
	e.zero(pairHeaderBytes)
	e.b = append(append(e.b, p.Name...), 0)
	e.pad(start)
	if err := e.value(p); err != nil {
		return err
	}
	e.pad(start)
	size := len(e.b) - start
	if size > math.MaxInt32 {
		return fmt.Errorf("pair of %d bytes: want at most %d", size, math.MaxInt32)
	}
	head := e.b[start:]
	e.order.PutUint32(head, uint32(size))
	e.order.PutUint16(head[4:], uint16(len(p.Name)+1))
	e.order.PutUint32(head[8:], uint32(elements))
	e.order.PutUint32(head[12:], uint32(p.Type))
	return e.embedded(p, depth)
}

// value appends the value without padding.
func (e *nativeEncoder) value(p Pair) error {
	switch v := p.Value.(type) {
	case nil:
	case string:
		return e.string(v)
	case []string:
		e.zero(len(v) * pointerBytes)
		for _, s := range v {
			if err := e.string(s); err != nil {
				return err
			}
		}
	case bool:
		e.bool(v)
	case []bool:
		for _, b := range v {
			e.bool(b)
		}
	case List:
		e.nvlist(v)
	case []List:
		e.zero(len(v) * pointerBytes)
		for _, l := range v {
			e.nvlist(l)
		}
	case uint64:
		e.uint64(v)
	case int64:
		e.uint64(uint64(v))
	case uint32:
		e.uint32(v)
	case int32:
		e.uint32(uint32(v))
	case []uint64:
		for _, n := range v {
			e.uint64(n)
		}
	case []int64:
		for _, n := range v {
			e.uint64(uint64(n))
		}
	default: // other numbers and arrays of numbers
		b, err := binary.Append(e.b, e.order, v)
		if err != nil {
			return err
		}
		e.b = b
	}
	return nil
}

func (e *nativeEncoder) string(s string) error {
	if err := checkString(s); err != nil {
		return err
	}
	e.b = append(append(e.b, s...), 0)
	return nil
}

func (e *nativeEncoder) bool(v bool) { e.uint32(boolean(v)) }

// nvlist appends a packed nvlist_t: version, nvflag, then the private pointer,
// flag and padding, which libnvpair clears.
func (e *nativeEncoder) nvlist(l List) {
	e.uint32(0)
	e.uint32(l.Flags)
	e.zero(nvlistBytes - versionBytes)
}

// embedded appends the lists of a NVLIST or NVLIST_ARRAY, which stand behind
// their pair.
func (e *nativeEncoder) embedded(p Pair, depth int) error {
	switch v := p.Value.(type) {
	case List:
		return e.pairs(v.Pairs, depth+1)
	case []List:
		for _, l := range v {
			if err := e.pairs(l.Pairs, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// nativeValueBytes is how long the value of a pair is before padding.
func nativeValueBytes(p Pair, elements int) int64 {
	n := int64(elements) * int64(layouts[p.Type].width)
	switch v := p.Value.(type) {
	case string:
		n = int64(len(v)) + 1
	case []string:
		for _, s := range v {
			n += pointerBytes + int64(len(s)) + 1
		}
	}
	return n
}
