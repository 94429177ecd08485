package nvlist

import "math"

// Decode reads one stream of either encoding and byte order, as [Parse] does,
// into Go values. The list shares no memory with packed; its names and strings
// share one copy of it.
func Decode(packed []byte) (List, error) {
	v, err := Parse(packed)
	if err != nil {
		return List{}, err
	}
	return v.List(), nil
}

// List returns the pairs as Go values, which share no memory with the stream.
func (v View) List() List {
	if v.stream.bytes == nil {
		return List{}
	}
	d := decoder{stream: v.stream, text: string(v.stream.bytes)}
	pairs, _ := d.pairs(make([]Pair, 0, len(d.text)/typicalPairBytes), v.pairs)
	if len(pairs) == 0 {
		pairs = nil
	}
	return List{Flags: v.flags, Pairs: pairs}
}

// typicalPairBytes is what a pair of an event takes: a name of up to 15 bytes
// and a number.
const typicalPairBytes = 40

// decoder makes Go values of a stream that has been checked.
type decoder struct {
	stream
	text string // of the stream: what names and strings are parts of
}

// pairs appends those of the list at off, and returns the offset behind it.
func (d *decoder) pairs(pairs []Pair, off int) (all []Pair, end int) {
	var p pair
	for {
		end, err := d.pair(&p, off)
		if err != nil || p.typ == 0 {
			return pairs, end
		}
		decoded := Pair{Name: d.text[p.nameAt:p.nameEnd], Type: p.typ}
		decoded.Value, off = d.value(&p)
		pairs = append(pairs, decoded)
	}
}

// value returns what Pair.Value holds, and the offset behind the pair.
func (d *decoder) value(p *pair) (v any, end int) {
	switch p.typ {
	case NVList:
		lists, end := d.lists(p)
		return lists[0], end
	case NVListArray:
		return d.lists(p)
	case String:
		return d.strings(p)[0], p.end
	case StringArray:
		return d.strings(p), p.end
	}
	return d.number(p), p.end
}

func (d *decoder) lists(p *pair) (lists []List, end int) {
	lists, end = make([]List, p.elements), p.end
	for i := range lists {
		l, _ := d.embedded(p, i, end)
		lists[i].Flags = l.flags
		lists[i].Pairs, end = d.pairs(nil, l.pairs)
	}
	return lists, end
}

func (d *decoder) strings(p *pair) []string {
	v, next := make([]string, p.elements), d.firstString(p)
	for i := range v {
		var at, end int
		at, end, next = d.stringAt(next)
		v[i] = d.text[at:end]
	}
	return v
}

// number returns the value of a type that is neither a string nor a list.
func (s *stream) number(p *pair) any {
	switch p.typ {
	case Byte, Uint8:
		return uint8(s.bits(p, 0))
	case Int8:
		return int8(s.bits(p, 0))
	case Int16:
		return int16(s.bits(p, 0))
	case Uint16:
		return uint16(s.bits(p, 0))
	case Int32:
		return int32(s.bits(p, 0))
	case Uint32:
		return uint32(s.bits(p, 0))
	case Int64, HRTime:
		return int64(s.bits(p, 0))
	case Uint64:
		return s.bits(p, 0)
	case Double:
		return math.Float64frombits(s.bits(p, 0))
	case BooleanValue:
		return s.bits(p, 0) == 1
	case BooleanArray:
		v := make([]bool, p.elements)
		for i := range v {
			v[i] = s.bits(p, i) == 1
		}
		return v
	case ByteArray, Uint8Array:
		return numbers[uint8](s, p)
	case Int8Array:
		return numbers[int8](s, p)
	case Int16Array:
		return numbers[int16](s, p)
	case Uint16Array:
		return numbers[uint16](s, p)
	case Int32Array:
		return numbers[int32](s, p)
	case Uint32Array:
		return numbers[uint32](s, p)
	case Int64Array:
		return numbers[int64](s, p)
	case Uint64Array:
		return numbers[uint64](s, p)
	}
	return nil // BOOLEAN
}

func numbers[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](s *stream, p *pair) []T {
	v := make([]T, p.elements)
	for i := range v {
		v[i] = T(s.bits(p, i))
	}
	return v
}
