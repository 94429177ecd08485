package nvlist

import (
	"encoding/binary"
	"fmt"
	"math"
)

type xdrEncoder struct {
	b []byte

	// surplus is what libnvpair counts but does not write: 4 bytes for each
	// empty array of numbers so far. They are in the encoded sizes, and follow
	// the outermost list as zeros.
	surplus int
}

func (e *xdrEncoder) uint32(v uint32) { e.b = binary.BigEndian.AppendUint32(e.b, v) }
func (e *xdrEncoder) zero(n int)      { e.b = append(e.b, make([]byte, n)...) }

// list appends a list, the outermost or an embedded one.
func (e *xdrEncoder) list(l List, depth int) error {
	if depth > MaxDepth {
		return errDepth
	}
	e.uint32(0) // version
	e.uint32(l.Flags)
	for _, p := range l.Pairs {
		if err := e.pair(p, depth); err != nil {
			return fmt.Errorf("pair %q: %w", p.Name, err)
		}
	}
	e.zero(xdrTerminatorBytes)
	return nil
}

func (e *xdrEncoder) pair(p Pair, depth int) error {
	elements, err := p.elements()
	if err != nil {
		return err
	}
	start, surplus := len(e.b), e.surplus
	e.zero(xdrSizesBytes)
	e.opaque(p.Name, true)
	e.uint32(uint32(p.Type))
	e.uint32(uint32(elements))
	if err := e.value(p, elements, depth); err != nil {
		return err
	}
	encoded := int64(len(e.b) - start + e.surplus - surplus)
	decoded := nativePairBytes(len(p.Name), nativeValueBytes(p, elements))
	if max(encoded, decoded) > math.MaxInt32 {
		return fmt.Errorf("pair of %d bytes: want at most %d", max(encoded, decoded), math.MaxInt32)
	}
	binary.BigEndian.PutUint32(e.b[start:], uint32(encoded))
	binary.BigEndian.PutUint32(e.b[start+4:], uint32(decoded))
	return nil
}

func (e *xdrEncoder) value(p Pair, elements, depth int) error {
	if p.Type.isCounted() {
		if elements == 0 {
			e.surplus += xdrUnit
			return nil
		}
		e.uint32(uint32(elements))
	}
	switch v := p.Value.(type) {
	case nil:
		return nil
	case string:
		return e.string(v)
	case []string:
		return each(v, e.string)
	case List:
		return e.list(v, depth+1)
	case []List:
		return each(v, func(l List) error { return e.list(l, depth+1) })
	case []uint8:
		if p.Type == ByteArray {
			e.opaque(string(v), false)
			return nil
		}
	}
	return e.numbers(p)
}

// numbers appends numbers and booleans, each at least a unit. What libnvpair
// gives to xdr_char and xdr_short has its sign extended, BYTE and UINT8 too.
func (e *xdrEncoder) numbers(p Pair) error {
	b, err := binary.Append(nil, binary.BigEndian, p.Value)
	if err != nil {
		return err
	}
	switch element := layouts[p.Type].element; element {
	case Byte, Int8, Uint8, BooleanValue:
		for _, v := range b {
			e.uint32(uint32(int8(v)))
		}
	case Int16, Uint16:
		for ; len(b) > 0; b = b[2:] {
			v := binary.BigEndian.Uint16(b)
			if element == Uint16 {
				e.uint32(uint32(v))
			} else {
				e.uint32(uint32(int16(v)))
			}
		}
	default:
		e.b = append(e.b, b...)
	}
	return nil
}

func each[T any](v []T, do func(T) error) error {
	for _, element := range v {
		if err := do(element); err != nil {
			return err
		}
	}
	return nil
}

func (e *xdrEncoder) string(s string) error {
	if err := checkString(s); err != nil {
		return err
	}
	e.opaque(s, true)
	return nil
}

// opaque appends bytes, and zeros up to a whole unit.
func (e *xdrEncoder) opaque(s string, counted bool) {
	if counted {
		e.uint32(uint32(len(s)))
	}
	e.b = append(e.b, s...)
	e.zero(align4(len(e.b)) - len(e.b))
}
