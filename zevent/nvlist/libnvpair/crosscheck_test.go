package libnvpair_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist/libnvpair"
)

var encodings = []nvlist.Encoding{nvlist.Native, nvlist.XDR}

// wantSame packs a list by Encode, has libnvpair unpack it and pack it again, in
// both encodings each, and compares the bytes. It decodes what libnvpair packed.
func wantSame(t *testing.T, list nvlist.List) {
	t.Helper()
	for _, from := range encodings {
		packed := encode(t, list, from)
		for _, to := range encodings {
			theirs, err := libnvpair.Repack(packed, to)
			if err != nil {
				t.Fatalf("libnvpair, encoding %d to %d: %v:\n%s", from, to, err, hex.Dump(packed))
			}
			if ours := encode(t, list, to); !bytes.Equal(ours, theirs) {
				t.Fatalf("encoding %d to %d: Encode gives\n%slibnvpair gives\n%s", from, to, hex.Dump(ours), hex.Dump(theirs))
			}
			decoded, err := nvlist.Decode(theirs)
			if err != nil {
				t.Fatalf("decoding what libnvpair packed, encoding %d: %v:\n%s", to, err, hex.Dump(theirs))
			}
			if again := encode(t, decoded, to); !bytes.Equal(again, theirs) {
				t.Fatalf("encoding %d: libnvpair packed\n%swhich decodes and encodes to\n%s", to, hex.Dump(theirs), hex.Dump(again))
			}
		}
	}
}

func encode(t *testing.T, list nvlist.List, encoding nvlist.Encoding) []byte {
	t.Helper()
	h := nvlist.Host()
	h.Encoding = encoding
	packed, err := nvlist.Encode(list, h)
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func TestRandomLists(t *testing.T) {
	r := random{rand.New(rand.NewPCG(1, 2))}
	for range 5000 {
		wantSame(t, r.list(3))
	}
}

func TestRecordedEvents(t *testing.T) {
	for _, packed := range recordedEvents(t) {
		list, err := nvlist.Decode(packed)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, list)
	}
}

// TestLookup has names repeat in lists that say they do not, and some names
// missing.
func TestLookup(t *testing.T) {
	r := random{rand.New(rand.NewPCG(3, 4))}
	for range 1000 {
		list := nvlist.List{Flags: []uint32{nvlist.UniqueName, nvlist.UniqueNameType}[r.IntN(2)]}
		for range r.IntN(8) {
			name := string(rune('a' + r.IntN(4)))
			if r.IntN(4) == 0 {
				list.Pairs = append(list.Pairs, nvlist.Pair{Name: name, Type: nvlist.Int8, Value: int8(1)})
			} else {
				list.Pairs = append(list.Pairs, nvlist.Pair{Name: name, Type: nvlist.Uint64, Value: r.Uint64()})
			}
		}
		for _, encoding := range encodings {
			packed := encode(t, list, encoding)
			want, err := libnvpair.LookupUint64(packed, "a")
			v, parseErr := nvlist.Parse(packed)
			if parseErr != nil {
				t.Fatal(parseErr)
			}
			p, found := v.Lookup("a", nvlist.Uint64)
			if got, _ := p.Uint(0); found != (err == nil) || got != want {
				t.Fatalf("%+v: got %d, %t; libnvpair %d, %v", list, got, found, want, err)
			}
			if got, ok := list.LookupUint64("a"); ok != found || got != want {
				t.Fatalf("%+v: a List has %d, %t; libnvpair %d, %v", list, got, ok, want, err)
			}
		}
	}
}

// TestDepth has both refuse the same depth, the one packed by hand.
func TestDepth(t *testing.T) {
	deepest := nvlist.New()
	for range nvlist.MaxDepth {
		deepest = nvlist.New(nvlist.Pair{Name: "l", Type: nvlist.NVList, Value: deepest})
	}
	wantSame(t, deepest)

	const headBytes, terminatorBytes = 12, 4
	outer := encode(t, nvlist.New(nvlist.Pair{Name: "l", Type: nvlist.NVList, Value: nvlist.New()}), nvlist.Native)
	deeper := append(outer[:len(outer)-2*terminatorBytes], encode(t, deepest, nvlist.Native)[headBytes:]...)
	deeper = append(deeper, make([]byte, terminatorBytes)...)
	_, theirs := libnvpair.Repack(deeper, nvlist.Native)
	_, ours := nvlist.Parse(deeper)
	if theirs == nil || ours == nil {
		t.Errorf("%d embedded lists: got errors %v, and of libnvpair %v, want both", nvlist.MaxDepth+1, ours, theirs)
	}
}

// TestCut has both refuse what is cut anywhere.
func TestCut(t *testing.T) {
	r := random{rand.New(rand.NewPCG(5, 6))}
	for range 100 {
		list := r.list(2)
		for _, encoding := range encodings {
			packed := encode(t, list, encoding)
			for n := range packed {
				// A buffer of its own, so that a read behind it is found out.
				cut := slices.Clip(bytes.Clone(packed[:n]))
				_, theirs := libnvpair.Repack(cut, encoding)
				_, ours := nvlist.Parse(cut)
				if (theirs == nil) != (ours == nil) {
					t.Fatalf("encoding %d, %d of %d bytes: got error %v, of libnvpair %v:\n%s", encoding, n, len(packed), ours, theirs, hex.Dump(cut))
				}
			}
		}
	}
}

// random makes lists of every type.
type random struct{ *rand.Rand }

func (r random) list(depth int) nvlist.List {
	list := nvlist.List{Flags: uint32(r.IntN(3))}
	for i := range r.IntN(6) {
		t := nvlist.Boolean + nvlist.Type(r.IntN(int(nvlist.Double)))
		if depth == 0 && (t == nvlist.NVList || t == nvlist.NVListArray) {
			continue
		}
		name := fmt.Sprintf("%s%d", r.text(), i)
		list.Pairs = append(list.Pairs, nvlist.Pair{Name: name, Type: t, Value: r.value(t, depth)})
	}
	return list
}

func (r random) text() string {
	b := make([]byte, r.IntN(20))
	for i := range b {
		b[i] = byte(1 + r.IntN(255))
	}
	return string(b)
}

func (r random) value(t nvlist.Type, depth int) any {
	switch t {
	case nvlist.Byte, nvlist.Uint8:
		return uint8(r.Uint32())
	case nvlist.Int8:
		return int8(r.Uint32())
	case nvlist.Int16:
		return int16(r.Uint32())
	case nvlist.Uint16:
		return uint16(r.Uint32())
	case nvlist.Int32:
		return int32(r.Uint32())
	case nvlist.Uint32:
		return r.Uint32()
	case nvlist.Int64, nvlist.HRTime:
		return int64(r.Uint64())
	case nvlist.Uint64:
		return r.Uint64()
	case nvlist.Double:
		return r.NormFloat64()
	case nvlist.BooleanValue:
		return r.IntN(2) == 1
	case nvlist.String:
		return r.text()
	case nvlist.NVList:
		return r.list(depth - 1)
	case nvlist.ByteArray, nvlist.Uint8Array:
		return several(r, func() uint8 { return uint8(r.Uint32()) })
	case nvlist.Int8Array:
		return several(r, func() int8 { return int8(r.Uint32()) })
	case nvlist.Int16Array:
		return several(r, func() int16 { return int16(r.Uint32()) })
	case nvlist.Uint16Array:
		return several(r, func() uint16 { return uint16(r.Uint32()) })
	case nvlist.Int32Array:
		return several(r, func() int32 { return int32(r.Uint32()) })
	case nvlist.Uint32Array:
		return several(r, r.Uint32)
	case nvlist.Int64Array:
		return several(r, func() int64 { return int64(r.Uint64()) })
	case nvlist.Uint64Array:
		return several(r, r.Uint64)
	case nvlist.BooleanArray:
		return several(r, func() bool { return r.IntN(2) == 1 })
	case nvlist.StringArray:
		return several(r, r.text)
	case nvlist.NVListArray:
		return several(r, func() nvlist.List { return r.list(depth - 1) })
	}
	return nil // BOOLEAN
}

func several[T any](r random, one func() T) []T {
	all := make([]T, r.IntN(4))
	for i := range all {
		all[i] = one()
	}
	return all
}
