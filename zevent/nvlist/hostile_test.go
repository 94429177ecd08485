package nvlist_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// Offsets in the golden vectors of one pair with a name of one or two letters.
const (
	pairSizeAt = 12
	nameSizeAt = 16
	elementsAt = 20
	typeAt     = 24
	nameAt     = 28
	valueAt    = 36
)

func golden(t *testing.T, name string, xdr bool) []byte {
	t.Helper()
	for _, v := range goldenTypes(t) {
		if v.name == name && v.xdr == xdr {
			return bytes.Clone(v.stream)
		}
	}
	t.Fatalf("no golden vector %q", name)
	return nil
}

func TestDecodeHostile(t *testing.T) {
	word := func(at int, v int32) func([]byte) []byte {
		return func(b []byte) []byte {
			binary.LittleEndian.PutUint32(b[at:], uint32(v))
			return b
		}
	}
	half := func(at int, v int16) func([]byte) []byte {
		return func(b []byte) []byte {
			binary.LittleEndian.PutUint16(b[at:], uint16(v))
			return b
		}
	}
	set := func(at int, v byte) func([]byte) []byte {
		return func(b []byte) []byte { b[at] = v; return b }
	}
	cut := func(n int) func([]byte) []byte {
		return func(b []byte) []byte { return b[:n] }
	}
	tests := []struct {
		name    string
		vector  string
		corrupt func([]byte) []byte
		offset  int
		what    string // part of the error
	}{
		{"nothing", "empty", cut(0), 0, "4-byte stream header"},
		{"encoding", "empty", set(0, 2), 0, "encoding 2"},
		{"endian", "empty", set(1, 2), 1, "endian 2"},
		{"header only", "empty", cut(4), 4, "version and flags"},
		{"version", "empty", set(4, 1), 4, "list version 1"},
		{"no terminator", "empty", cut(12), 12, "not terminated"},
		{"no terminator behind a pair", "uint64", cut(44), 44, "not terminated"},
		{"pair size 1", "uint64", word(pairSizeAt, 1), 12, "pair size 1"},
		{"pair size negative", "uint64", word(pairSizeAt, -8), 12, "pair size -8"},
		{"pair size beyond the end", "uint64", word(pairSizeAt, 1<<20), 12, "pair size 1048576"},
		{"pair size not that of the type", "uint64", word(pairSizeAt, 24), 12, "want 32"},
		{"name size 0", "uint64", half(nameSizeAt, 0), 16, "name size 0"},
		{"name size negative", "uint64", half(nameSizeAt, -1), 16, "name size -1"},
		{"name beyond the pair", "uint64", half(nameSizeAt, 17), 16, "name size 17"},
		{"name without NUL", "uint64", set(nameAt+3, 'x'), 28, "NUL"},
		{"NUL within a name", "uint64", set(nameAt, 0), 28, "NUL"},
		{"padded name beyond the pair", "uint64", func(b []byte) []byte {
			half(nameSizeAt, 12)(word(pairSizeAt, 28)(b))
			copy(b[nameAt:], "twelve bytes"[:11]+"\x00")
			return b
		}, 12, "ends inside its padded name"},
		{"elements of a boolean", "boolean", word(elementsAt, 1), 12, "BOOLEAN of 1 elements"},
		{"two uint64", "uint64", word(elementsAt, 2), 12, "UINT64 of 2 elements"},
		{"negative array", "int64_array", word(elementsAt, -1), 12, "-1 elements"},
		{"huge array", "int64_array", word(elementsAt, math.MaxInt32), 12, "want 17179869200"},
		{"huge list array", "nvlist_array", word(elementsAt, math.MaxInt32), 12, "size 88"},
		{"huge string array", "string_array", word(elementsAt, math.MaxInt32), 36, "STRING_ARRAY of 2147483647"},
		{"string array without NUL", "string_array", word(elementsAt, 4), 36, "element 0 of the STRING_ARRAY"},
		{"type 0", "uint64", word(typeAt, 0), 12, "type 0"},
		{"type -1", "uint64", word(typeAt, -1), 12, "type -1"},
		{"type 28", "uint64", word(typeAt, 28), 12, "type 28"},
		{"boolean value 2", "boolean_value", set(valueAt, 2), 36, "boolean value 2"},
		{"version of an embedded list", "nvlist", set(44, 7), 44, "list version 7"},
		{"embedded list cut", "nvlist", cut(136), 136, "not terminated"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wantDecodeError(t, test.corrupt(golden(t, test.vector, false)), test.offset, test.what)
		})
	}
}

func wantDecodeError(t *testing.T, packed []byte, offset int, what string) {
	t.Helper()
	_, err := nvlist.Decode(packed)
	var bad *nvlist.DecodeError
	if !errors.As(err, &bad) {
		t.Fatalf("got error %v, want a DecodeError", err)
	}
	if bad.Offset != offset || !strings.Contains(bad.What, what) {
		t.Errorf("got offset %d: %s\nwant offset %d: ...%s...", bad.Offset, bad.What, offset, what)
	}
}

// Offsets in the golden vectors of one pair in XDR with a name of up to four
// letters.
const (
	xdrDecodedAt  = 16
	xdrNameSizeAt = 20
	xdrNameAt     = 24
	xdrTypeAt     = 28
	xdrElementsAt = 32
	xdrValueAt    = 36
)

func TestDecodeHostileXDR(t *testing.T) {
	word := func(at int, v uint32) func([]byte) []byte {
		return func(b []byte) []byte {
			binary.BigEndian.PutUint32(b[at:], v)
			return b
		}
	}
	set := func(at int, v byte) func([]byte) []byte {
		return func(b []byte) []byte { b[at] = v; return b }
	}
	cut := func(n int) func([]byte) []byte {
		return func(b []byte) []byte { return b[:n] }
	}
	tests := []struct {
		name    string
		vector  string
		corrupt func([]byte) []byte
		offset  int
		what    string // part of the error
	}{
		{"header only", "empty", cut(4), 4, "version and flags"},
		{"version", "empty", word(4, 1), 4, "list version 1"},
		{"no terminator", "empty", cut(12), 12, "not terminated"},
		{"half a terminator", "empty", cut(16), 12, "not terminated"},
		{"decoded size", "uint64", word(xdrDecodedAt, 40), xdrDecodedAt, "decoded size 40: want 32"},
		{"decoded size negative", "uint64", word(xdrDecodedAt, math.MaxUint32), xdrDecodedAt, "decoded size -1"},
		{"no name", "uint64", cut(xdrNameSizeAt + 2), xdrNameSizeAt, "length of a string, got 2 bytes"},
		{"name beyond the end", "uint64", word(xdrNameSizeAt, 1<<31), xdrNameSizeAt, "string of 2147483648 bytes"},
		{"NUL within a name", "uint64", set(xdrNameAt, 0), xdrNameAt, "want no NUL"},
		{"padding of a name", "uint64", set(xdrNameAt+3, 'x'), xdrNameAt + 3, "padding 78: want zeros"},
		{"padding beyond the end", "uint64", cut(xdrNameAt + 3), xdrNameAt + 3, "want 1 bytes of padding, got 0"},
		{"no type", "uint64", cut(xdrTypeAt + 4), xdrTypeAt, "type and count"},
		{"type 0", "uint64", word(xdrTypeAt, 0), xdrTypeAt, "type 0"},
		{"type -1", "uint64", word(xdrTypeAt, math.MaxUint32), xdrTypeAt, "type -1"},
		{"elements of a boolean", "boolean", word(xdrElementsAt, 1), xdrTypeAt, "BOOLEAN of 1 elements"},
		{"no uint64", "uint64", word(xdrElementsAt, 0), xdrTypeAt, "UINT64 of 0 elements"},
		{"negative array", "byte_array", word(xdrElementsAt, math.MaxUint32), xdrTypeAt, "-1 elements"},
		{"value beyond the end", "uint64", cut(xdrValueAt + 4), xdrValueAt, "UINT64 of 1 elements in 4 bytes"},
		{"huge byte array", "byte_array", word(xdrElementsAt, math.MaxInt32), xdrValueAt, "BYTE_ARRAY of 2147483647"},
		{"padding of a byte array", "byte_array", set(xdrValueAt+7, 1), xdrValueAt + 5, "want zeros"},
		{"huge string array", "string_array", word(xdrElementsAt, math.MaxInt32), 64, "length of a string, got 0 bytes"},
		{"huge list array", "nvlist_array", word(xdrElementsAt, math.MaxInt32), xdrDecodedAt, "decoded size 88"},
		{"no count", "int8_array", cut(xdrValueAt), xdrValueAt, "has no count"},
		{"other count", "int8_array", word(xdrValueAt, 4), xdrValueAt, "counts 4"},
		{"9-bit byte", "byte", word(xdrValueAt, 0x1ab), xdrValueAt, "is 0x1ab: want 8 bits"},
		{"half a sign", "int16", word(xdrValueAt, 0xfffffe), xdrValueAt, "want 16 bits"},
		{"boolean value 2", "boolean_value", word(xdrValueAt, 2), xdrValueAt, "boolean value 2"},
		{"version of an embedded list", "nvlist", word(40, 7), 40, "list version 7"},
		{"embedded list cut", "nvlist", cut(120), 116, "not terminated"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			wantDecodeError(t, test.corrupt(golden(t, test.vector, true)), test.offset, test.what)
		})
	}
}

func TestDecodeStringWithoutNUL(t *testing.T) {
	stream := golden(t, "string", false)
	for i := valueAt; i < valueAt+8; i++ {
		stream[i] = 'x'
	}
	if _, err := nvlist.Decode(stream); err == nil || !strings.Contains(err.Error(), "not terminated") {
		t.Errorf("got error %v, want one of a string that is not terminated", err)
	}
}

// nested returns a list in which depth others are embedded, each in the one
// before.
func nested(depth int) nvlist.List {
	l := nvlist.New()
	for range depth {
		l = pair("l", nvlist.NVList, l)
	}
	return l
}

func TestDepth(t *testing.T) {
	for _, h := range []nvlist.Header{little, xdr} {
		deepest, err := nvlist.Encode(nested(nvlist.MaxDepth), h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := nvlist.Decode(deepest); err != nil {
			t.Errorf("%+v: decoding %d embedded lists: %v", h, nvlist.MaxDepth, err)
		}
		if _, err := nvlist.Encode(nested(nvlist.MaxDepth+1), h); err == nil {
			t.Errorf("%+v: encoding %d embedded lists: want an error", h, nvlist.MaxDepth+1)
		}
	}
}

// TestTooDeep has one list more around the deepest that Encode packs.
func TestTooDeep(t *testing.T) {
	const headBytes = 12 // of the stream: header, version, flags
	for h, terminatorBytes := range map[nvlist.Header]int{little: 4, xdr: 8} {
		deepest, err := nvlist.Encode(nested(nvlist.MaxDepth), h)
		if err != nil {
			t.Fatal(err)
		}
		outer, err := nvlist.Encode(nested(1), h)
		if err != nil {
			t.Fatal(err)
		}
		opening := outer[:len(outer)-2*terminatorBytes]
		deeper := append(bytes.Clone(opening), deepest[headBytes:]...)
		deeper = append(deeper, make([]byte, terminatorBytes)...)
		var bad *nvlist.DecodeError
		if _, err := nvlist.Decode(deeper); !errors.As(err, &bad) || !strings.Contains(bad.What, "deep") {
			t.Errorf("%+v: decoding %d embedded lists: got error %v, want one of depth", h, nvlist.MaxDepth+1, err)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := map[string]nvlist.List{
		"unknown type":       pair("x", 99, uint8(0)),
		"other Go type":      pair("x", nvlist.Uint64, 1),
		"nil value":          pair("x", nvlist.String, nil),
		"boolean with value": pair("x", nvlist.Boolean, true),
		"NUL in a name":      pair("a\x00b", nvlist.Boolean, nil),
		"long name":          pair(strings.Repeat("n", math.MaxInt16), nvlist.Boolean, nil),
		"NUL in a string":    pair("x", nvlist.String, "a\x00"),
		"NUL in an array":    pair("x", nvlist.StringArray, []string{"\x00"}),
		"NUL in a child":     pair("x", nvlist.NVListArray, []nvlist.List{pair("y", nvlist.String, "\x00")}),
	}
	for name, list := range tests {
		if _, err := nvlist.Encode(list, little); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
	if _, err := nvlist.Encode(nvlist.New(), nvlist.Header{Encoding: 2}); err == nil {
		t.Error("encoding 2: want an error")
	}
}

func TestDuplicatesAndTypes(t *testing.T) {
	list := nvlist.List{Pairs: []nvlist.Pair{
		{Name: "a", Type: nvlist.Uint64, Value: uint64(1)},
		{Name: "", Type: nvlist.Boolean},
		{Name: "a", Type: nvlist.Uint64, Value: uint64(2)},
		{Name: "u16", Type: nvlist.Uint16, Value: uint16(3)},
		{Name: "i32", Type: nvlist.Int32, Value: int32(-4)},
		{Name: "i64", Type: nvlist.Int64, Value: int64(-5)},
		{Name: "u16a", Type: nvlist.Uint16Array, Value: []uint16{6}},
		{Name: "i32a", Type: nvlist.Int32Array, Value: []int32{-7}},
		{Name: "u32a", Type: nvlist.Uint32Array, Value: []uint32{8}},
		{Name: "u64a", Type: nvlist.Uint64Array, Value: []uint64{9}},
	}}
	stream, err := nvlist.Encode(list, little)
	if err != nil {
		t.Fatal(err)
	}
	got, err := nvlist.Decode(stream)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(list, got); diff != "" {
		t.Errorf("Decode (-want +got):\n%s", diff)
	}
	if v, ok := got.LookupUint64("a"); v != 2 || !ok {
		t.Errorf("LookupUint64 of a repeated name: got %d, %t, want the last: 2, true", v, ok)
	}
	if _, ok := got.LookupString("a"); ok {
		t.Error("LookupString found a UINT64")
	}
	set := got.Set(nvlist.Pair{Name: "a", Type: nvlist.String, Value: "s"})
	if last := set.Pairs[len(set.Pairs)-1]; len(set.Pairs) != len(list.Pairs)-1 || last.Value != "s" {
		t.Errorf("Set: got %+v, want one pair a, at the end", set.Pairs)
	}
}
