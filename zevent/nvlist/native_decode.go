package nvlist

import (
	"bytes"
	"fmt"
	"math"
)

// Sizes of the native encoding, in bytes.
const (
	versionBytes    = 8  // int32 version, uint32 nvflag of the outermost list
	pairHeaderBytes = 16 // nvpair_t: int32 size, int16 name size, int16 reserve, int32 elements, int32 type
	minPairBytes    = 24 // header, the NUL of an empty name, padding
	terminatorBytes = 4  // int32 0 after the last pair of a list
	nvlistBytes     = 24 // packed nvlist_t of an embedded list
	pointerBytes    = 8  // zeroed pointer slot of a STRING_ARRAY or NVLIST_ARRAY element
)

// MaxDepth is how deep lists may be embedded in lists: libnvpair's limit in
// userland. The kernel's is 20.
const MaxDepth = 100

// Decode reads one stream of either byte order. Bytes after the end of the
// list are ignored, as nvlist_unpack does. The errors are [*DecodeError], or
// wrap [ErrEncoding] for an XDR stream. The list shares no memory with stream.
func Decode(stream []byte) (List, error) {
	h, err := ParseHeader(stream)
	if err != nil {
		return List{}, err
	}
	if h.Encoding != Native {
		return List{}, fmt.Errorf("decoding nvlist: offset 0: %w", ErrEncoding)
	}
	d := &nativeDecoder{stream: stream, off: headerBytes, order: h.order()}
	if len(stream) < headerBytes+versionBytes {
		return List{}, d.errorf(d.off, "want %d bytes of version and flags, got %d", versionBytes, len(stream)-headerBytes)
	}
	flags, err := d.listHead(d.off)
	if err != nil {
		return List{}, err
	}
	d.off += versionBytes
	pairs, err := d.pairs(1)
	if err != nil {
		return List{}, err
	}
	return List{Flags: flags, Pairs: pairs}, nil
}

type nativeDecoder struct {
	stream []byte
	off    int
	order  byteOrder
}

func (d *nativeDecoder) errorf(off int, format string, args ...any) error {
	return &DecodeError{Offset: off, What: fmt.Sprintf(format, args...)}
}

// listHead reads the version and nvflag that start both the outermost list
// and a packed nvlist_t. The caller has checked that 8 bytes are there.
func (d *nativeDecoder) listHead(off int) (flags uint32, err error) {
	if version := int32(d.order.Uint32(d.stream[off:])); version != 0 {
		return 0, d.errorf(off, "list version %d: want 0", version)
	}
	return d.order.Uint32(d.stream[off+4:]), nil
}

// pairs reads up to and including the terminator of one list.
func (d *nativeDecoder) pairs(depth int) ([]Pair, error) {
	if depth > MaxDepth {
		return nil, d.errorf(d.off, "lists are embedded more than %d deep", MaxDepth)
	}
	var pairs []Pair
	for {
		if len(d.stream)-d.off < terminatorBytes {
			return nil, d.errorf(d.off, "list is not terminated")
		}
		if d.order.Uint32(d.stream[d.off:]) == 0 {
			d.off += terminatorBytes
			return pairs, nil
		}
		p, err := d.pair(depth)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
}

// pair reads one pair and, where its type embeds lists, those lists: the
// encoding puts them behind the pair, outside its size.
func (d *nativeDecoder) pair(depth int) (Pair, error) {
	start := d.off
	size := int64(int32(d.order.Uint32(d.stream[start:])))
	if size < minPairBytes || size > int64(len(d.stream)-start) {
		return Pair{}, d.errorf(start, "pair size %d: want %d to the %d bytes left", size, minPairBytes, len(d.stream)-start)
	}
	raw := d.stream[start : start+int(size)]
	nameBytes := int(int16(d.order.Uint16(raw[4:])))
	elements := int64(int32(d.order.Uint32(raw[8:])))
	t := Type(d.order.Uint32(raw[12:]))

	if nameBytes < 1 || pairHeaderBytes+nameBytes > len(raw) {
		return Pair{}, d.errorf(start+4, "name size %d: want 1 to %d", nameBytes, len(raw)-pairHeaderBytes)
	}
	name := raw[pairHeaderBytes : pairHeaderBytes+nameBytes]
	if bytes.IndexByte(name, 0) != nameBytes-1 {
		return Pair{}, d.errorf(start+pairHeaderBytes, "name %q: want a NUL at its end only", name)
	}
	p := Pair{Name: string(name[:nameBytes-1]), Type: t}

	valueOff := align8(pairHeaderBytes + nameBytes)
	if valueOff > len(raw) {
		return Pair{}, d.errorf(start, "pair %q: size %d ends inside its padded name", p.Name, size)
	}
	value := raw[valueOff:]
	valueBytes, err := d.valueBytes(t, elements, value)
	if err != nil {
		return Pair{}, d.errorf(start, "pair %q: %v", p.Name, err)
	}
	if want := int64(valueOff) + (valueBytes+7)&^7; want != size {
		return Pair{}, d.errorf(start, "pair %q: %v of %d elements: size %d: want %d", p.Name, t, elements, size, want)
	}
	d.off = start + len(raw)

	switch t {
	case NVList:
		p.Value, err = d.embedded(start+valueOff, depth)
	case NVListArray:
		p.Value, err = d.embeddedArray(start+valueOff, int(elements), depth)
	default:
		p.Value, err = d.value(t, int(elements), value[:valueBytes])
		if err != nil {
			err = d.errorf(start+valueOff, "pair %q: %v", p.Name, err)
		}
	}
	return p, err
}

// valueBytes is how long the value should be before padding; it never trusts
// the count further than the bytes that are there.
func (d *nativeDecoder) valueBytes(t Type, elements int64, value []byte) (int64, error) {
	if !t.valid() {
		return 0, fmt.Errorf("unknown %v", t)
	}
	l := layouts[t]
	switch {
	case t == Boolean && elements != 0:
		return 0, fmt.Errorf("BOOLEAN of %d elements: want 0", elements)
	case t != Boolean && !l.array && elements != 1:
		return 0, fmt.Errorf("%v of %d elements: want 1", t, elements)
	case elements < 0:
		return 0, fmt.Errorf("%v of %d elements", t, elements)
	}
	switch t {
	case Boolean:
		return 0, nil
	case String:
		n := bytes.IndexByte(value, 0)
		if n < 0 {
			return 0, fmt.Errorf("STRING is not terminated")
		}
		return int64(n) + 1, nil
	case StringArray:
		return stringArrayBytes(elements, value)
	}
	return elements * int64(l.width), nil
}

// stringArrayBytes measures the pointer slots and the strings packed behind
// them.
func stringArrayBytes(elements int64, value []byte) (int64, error) {
	n := elements * pointerBytes
	if n > int64(len(value)) {
		return 0, fmt.Errorf("STRING_ARRAY of %d elements in %d bytes", elements, len(value))
	}
	for i := range elements {
		length := bytes.IndexByte(value[n:], 0)
		if length < 0 {
			return 0, fmt.Errorf("element %d of the STRING_ARRAY is not terminated", i)
		}
		n += int64(length) + 1
	}
	return n, nil
}

// value decodes a value that is inside its pair; b is exactly as long as the
// type and the count ask.
func (d *nativeDecoder) value(t Type, elements int, b []byte) (any, error) {
	o := d.order
	switch t {
	case Boolean:
		return nil, nil
	case Byte, Uint8:
		return b[0], nil
	case Int8:
		return int8(b[0]), nil
	case Int16:
		return int16(o.Uint16(b)), nil
	case Uint16:
		return o.Uint16(b), nil
	case Int32:
		return int32(o.Uint32(b)), nil
	case Uint32:
		return o.Uint32(b), nil
	case Int64, HRTime:
		return int64(o.Uint64(b)), nil
	case Uint64:
		return o.Uint64(b), nil
	case Double:
		return math.Float64frombits(o.Uint64(b)), nil
	case String:
		return string(b[:len(b)-1]), nil
	case BooleanValue:
		v, err := booleans(b, o)
		if err != nil {
			return nil, err
		}
		return v[0], nil
	case BooleanArray:
		return booleans(b, o)
	case ByteArray, Uint8Array:
		return append([]byte{}, b...), nil
	case Int8Array:
		return array(b, 1, func(e []byte) int8 { return int8(e[0]) }), nil
	case Int16Array:
		return array(b, 2, func(e []byte) int16 { return int16(o.Uint16(e)) }), nil
	case Uint16Array:
		return array(b, 2, o.Uint16), nil
	case Int32Array:
		return array(b, 4, func(e []byte) int32 { return int32(o.Uint32(e)) }), nil
	case Uint32Array:
		return array(b, 4, o.Uint32), nil
	case Int64Array:
		return array(b, 8, func(e []byte) int64 { return int64(o.Uint64(e)) }), nil
	case Uint64Array:
		return array(b, 8, o.Uint64), nil
	case StringArray:
		return stringArray(b[elements*pointerBytes:], elements), nil
	}
	return nil, fmt.Errorf("unknown %v", t)
}

func array[T any](b []byte, width int, get func([]byte) T) []T {
	v := make([]T, 0, len(b)/width)
	for ; len(b) >= width; b = b[width:] {
		v = append(v, get(b))
	}
	return v
}

// booleans reads boolean_t, a C enum of 4 bytes that must be 0 or 1.
func booleans(b []byte, o byteOrder) ([]bool, error) {
	v := array(b, 4, o.Uint32)
	bools := make([]bool, len(v))
	for i, n := range v {
		if n > 1 {
			return nil, fmt.Errorf("boolean value %d: want 0 or 1", n)
		}
		bools[i] = n == 1
	}
	return bools, nil
}

func stringArray(b []byte, elements int) []string {
	v := make([]string, elements)
	for i := range v {
		n := bytes.IndexByte(b, 0)
		v[i], b = string(b[:n]), b[n+1:]
	}
	return v
}

// embedded reads the list behind a NVLIST pair; its nvlist_t stands at off.
func (d *nativeDecoder) embedded(off, depth int) (List, error) {
	flags, err := d.listHead(off)
	if err != nil {
		return List{}, err
	}
	pairs, err := d.pairs(depth + 1)
	return List{Flags: flags, Pairs: pairs}, err
}

func (d *nativeDecoder) embeddedArray(off, elements, depth int) ([]List, error) {
	off += elements * pointerBytes
	lists := make([]List, 0, elements)
	for i := range elements {
		l, err := d.embedded(off+i*nvlistBytes, depth)
		if err != nil {
			return nil, err
		}
		lists = append(lists, l)
	}
	return lists, nil
}

func align8(n int) int { return (n + 7) &^ 7 }
