package nvlist

import (
	"fmt"
	"reflect"
)

// Type is the data type of a pair: data_type_t of include/sys/nvpair.h.
// The comment beside each constant is the Go type of [Pair.Value].
type Type int32

// The data types. Arrays may be empty.
const (
	Boolean      Type = 1  // nil: the presence of the pair is the value
	Byte         Type = 2  // uint8
	Int16        Type = 3  // int16
	Uint16       Type = 4  // uint16
	Int32        Type = 5  // int32
	Uint32       Type = 6  // uint32
	Int64        Type = 7  // int64
	Uint64       Type = 8  // uint64
	String       Type = 9  // string: any bytes but NUL
	ByteArray    Type = 10 // []uint8
	Int16Array   Type = 11 // []int16
	Uint16Array  Type = 12 // []uint16
	Int32Array   Type = 13 // []int32
	Uint32Array  Type = 14 // []uint32
	Int64Array   Type = 15 // []int64
	Uint64Array  Type = 16 // []uint64
	StringArray  Type = 17 // []string
	HRTime       Type = 18 // int64: nanoseconds
	NVList       Type = 19 // List
	NVListArray  Type = 20 // []List
	BooleanValue Type = 21 // bool
	Int8         Type = 22 // int8
	Uint8        Type = 23 // uint8
	BooleanArray Type = 24 // []bool
	Int8Array    Type = 25 // []int8
	Uint8Array   Type = 26 // []uint8
	Double       Type = 27 // float64: never produced by a kernel
)

// layout is how the native encoding stores one type.
type layout struct {
	name  string // as in the DATA_TYPE_ constants
	width int    // bytes of one element; 0 where only the value tells
	array bool
	zero  any // of the Go type that Pair.Value has
}

var layouts = [...]layout{
	Boolean:      {name: "BOOLEAN"},
	Byte:         {name: "BYTE", width: 1, zero: uint8(0)},
	Int16:        {name: "INT16", width: 2, zero: int16(0)},
	Uint16:       {name: "UINT16", width: 2, zero: uint16(0)},
	Int32:        {name: "INT32", width: 4, zero: int32(0)},
	Uint32:       {name: "UINT32", width: 4, zero: uint32(0)},
	Int64:        {name: "INT64", width: 8, zero: int64(0)},
	Uint64:       {name: "UINT64", width: 8, zero: uint64(0)},
	String:       {name: "STRING", zero: ""},
	ByteArray:    {name: "BYTE_ARRAY", width: 1, array: true, zero: []uint8(nil)},
	Int16Array:   {name: "INT16_ARRAY", width: 2, array: true, zero: []int16(nil)},
	Uint16Array:  {name: "UINT16_ARRAY", width: 2, array: true, zero: []uint16(nil)},
	Int32Array:   {name: "INT32_ARRAY", width: 4, array: true, zero: []int32(nil)},
	Uint32Array:  {name: "UINT32_ARRAY", width: 4, array: true, zero: []uint32(nil)},
	Int64Array:   {name: "INT64_ARRAY", width: 8, array: true, zero: []int64(nil)},
	Uint64Array:  {name: "UINT64_ARRAY", width: 8, array: true, zero: []uint64(nil)},
	StringArray:  {name: "STRING_ARRAY", array: true, zero: []string(nil)},
	HRTime:       {name: "HRTIME", width: 8, zero: int64(0)},
	NVList:       {name: "NVLIST", width: nvlistBytes, zero: List{}},
	NVListArray:  {name: "NVLIST_ARRAY", width: pointerBytes + nvlistBytes, array: true, zero: []List(nil)},
	BooleanValue: {name: "BOOLEAN_VALUE", width: 4, zero: false},
	Int8:         {name: "INT8", width: 1, zero: int8(0)},
	Uint8:        {name: "UINT8", width: 1, zero: uint8(0)},
	BooleanArray: {name: "BOOLEAN_ARRAY", width: 4, array: true, zero: []bool(nil)},
	Int8Array:    {name: "INT8_ARRAY", width: 1, array: true, zero: []int8(nil)},
	Uint8Array:   {name: "UINT8_ARRAY", width: 1, array: true, zero: []uint8(nil)},
	Double:       {name: "DOUBLE", width: 8, zero: float64(0)},
}

func (t Type) valid() bool { return t >= Boolean && t <= Double }

// String is the name of the type without its DATA_TYPE_ prefix.
func (t Type) String() string {
	if !t.valid() {
		return fmt.Sprintf("type %d", int32(t))
	}
	return layouts[t].name
}

// elements is the element count of the encoded pair. It is an error when the
// value does not have the Go type that belongs to the pair's type.
func (p Pair) elements() (int, error) {
	if !p.Type.valid() {
		return 0, fmt.Errorf("unknown %v", p.Type)
	}
	l := layouts[p.Type]
	if got, want := reflect.TypeOf(p.Value), reflect.TypeOf(l.zero); got != want {
		return 0, fmt.Errorf("value of a %v is of Go type %v: want %v", p.Type, got, want)
	}
	switch {
	case p.Type == Boolean:
		return 0, nil
	case l.array:
		return reflect.ValueOf(p.Value).Len(), nil
	}
	return 1, nil
}
