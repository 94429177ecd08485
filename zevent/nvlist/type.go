package nvlist

import "fmt"

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

// layout is how values of one type are stored.
type layout struct {
	name    string // as in the DATA_TYPE_ constants
	element Type   // of an array; else the type itself
	width   int    // bytes of one element in the native encoding; 0 where only the value tells
	zero    any    // of the Go type that Pair.Value has
}

var layouts = [...]layout{
	Boolean:      {name: "BOOLEAN", element: Boolean},
	Byte:         {name: "BYTE", element: Byte, width: 1, zero: uint8(0)},
	Int16:        {name: "INT16", element: Int16, width: 2, zero: int16(0)},
	Uint16:       {name: "UINT16", element: Uint16, width: 2, zero: uint16(0)},
	Int32:        {name: "INT32", element: Int32, width: 4, zero: int32(0)},
	Uint32:       {name: "UINT32", element: Uint32, width: 4, zero: uint32(0)},
	Int64:        {name: "INT64", element: Int64, width: 8, zero: int64(0)},
	Uint64:       {name: "UINT64", element: Uint64, width: 8, zero: uint64(0)},
	String:       {name: "STRING", element: String, zero: ""},
	ByteArray:    {name: "BYTE_ARRAY", element: Byte, width: 1, zero: []uint8(nil)},
	Int16Array:   {name: "INT16_ARRAY", element: Int16, width: 2, zero: []int16(nil)},
	Uint16Array:  {name: "UINT16_ARRAY", element: Uint16, width: 2, zero: []uint16(nil)},
	Int32Array:   {name: "INT32_ARRAY", element: Int32, width: 4, zero: []int32(nil)},
	Uint32Array:  {name: "UINT32_ARRAY", element: Uint32, width: 4, zero: []uint32(nil)},
	Int64Array:   {name: "INT64_ARRAY", element: Int64, width: 8, zero: []int64(nil)},
	Uint64Array:  {name: "UINT64_ARRAY", element: Uint64, width: 8, zero: []uint64(nil)},
	StringArray:  {name: "STRING_ARRAY", element: String, zero: []string(nil)},
	HRTime:       {name: "HRTIME", element: HRTime, width: 8, zero: int64(0)},
	NVList:       {name: "NVLIST", element: NVList, width: nvlistBytes, zero: List{}},
	NVListArray:  {name: "NVLIST_ARRAY", element: NVList, width: pointerBytes + nvlistBytes, zero: []List(nil)},
	BooleanValue: {name: "BOOLEAN_VALUE", element: BooleanValue, width: 4, zero: false},
	Int8:         {name: "INT8", element: Int8, width: 1, zero: int8(0)},
	Uint8:        {name: "UINT8", element: Uint8, width: 1, zero: uint8(0)},
	BooleanArray: {name: "BOOLEAN_ARRAY", element: BooleanValue, width: 4, zero: []bool(nil)},
	Int8Array:    {name: "INT8_ARRAY", element: Int8, width: 1, zero: []int8(nil)},
	Uint8Array:   {name: "UINT8_ARRAY", element: Uint8, width: 1, zero: []uint8(nil)},
	Double:       {name: "DOUBLE", element: Double, width: 8, zero: float64(0)},
}

func (t Type) valid() bool { return t >= Boolean && t <= Double }

func (t Type) isArray() bool { return layouts[t].element != t }

// embeds reports whether values are lists.
func (t Type) embeds() bool { return t == NVList || t == NVListArray }

// allows reports whether a pair of the type may have so many elements.
func (t Type) allows(elements int32) bool {
	switch {
	case t.isArray():
		return elements >= 0
	case t == Boolean:
		return elements == 0
	}
	return elements == 1
}

// isCounted reports whether XDR counts the elements of the type a second time,
// before them.
func (t Type) isCounted() bool {
	return t.isArray() && t != ByteArray && t != StringArray && t != NVListArray
}

// String is the name of the type without its DATA_TYPE_ prefix.
func (t Type) String() string {
	if !t.valid() {
		return fmt.Sprintf("type %d", int32(t))
	}
	return layouts[t].name
}
