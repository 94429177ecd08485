package nvlist_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// read makes of a View what Decode makes, by the View's methods alone.
func read(v nvlist.View) nvlist.List {
	l := nvlist.List{Flags: v.Flags()}
	for p := range v.Pairs() {
		l.Pairs = append(l.Pairs, nvlist.Pair{Name: string(p.Name()), Type: p.Type(), Value: readValue(p)})
	}
	return l
}

func readValue(p *nvlist.PairView) any {
	switch p.Type() {
	case nvlist.Byte, nvlist.Uint8:
		return uint8(uints(p)[0])
	case nvlist.Uint16:
		return uint16(uints(p)[0])
	case nvlist.Uint32:
		return uint32(uints(p)[0])
	case nvlist.Uint64:
		return uints(p)[0]
	case nvlist.Int8:
		return int8(ints(p)[0])
	case nvlist.Int16:
		return int16(ints(p)[0])
	case nvlist.Int32:
		return int32(ints(p)[0])
	case nvlist.Int64, nvlist.HRTime:
		return ints(p)[0]
	case nvlist.BooleanValue:
		return bools(p)[0]
	case nvlist.Double:
		v, _ := p.Float64()
		return v
	case nvlist.String:
		v, _ := p.Bytes()
		return string(v)
	case nvlist.NVList:
		v, _ := p.List()
		return read(v)
	case nvlist.ByteArray:
		v, _ := p.Bytes()
		return append([]uint8{}, v...)
	case nvlist.Uint8Array:
		return narrow[uint8](uints(p))
	case nvlist.Uint16Array:
		return narrow[uint16](uints(p))
	case nvlist.Uint32Array:
		return narrow[uint32](uints(p))
	case nvlist.Uint64Array:
		return uints(p)
	case nvlist.Int8Array:
		return narrow[int8](ints(p))
	case nvlist.Int16Array:
		return narrow[int16](ints(p))
	case nvlist.Int32Array:
		return narrow[int32](ints(p))
	case nvlist.Int64Array:
		return ints(p)
	case nvlist.BooleanArray:
		return bools(p)
	case nvlist.StringArray:
		v := []string{}
		for s := range p.Strings() {
			v = append(v, string(s))
		}
		return v
	case nvlist.NVListArray:
		v := []nvlist.List{}
		for l := range p.Lists() {
			v = append(v, read(l))
		}
		return v
	}
	return nil
}

func uints(p *nvlist.PairView) []uint64 { return elements(p, p.Uint) }
func ints(p *nvlist.PairView) []int64   { return elements(p, p.Int) }
func bools(p *nvlist.PairView) []bool   { return elements(p, p.Bool) }

func elements[T any](p *nvlist.PairView, at func(int) (T, bool)) []T {
	all := []T{}
	for i := range p.Len() + 1 {
		if v, ok := at(i); ok {
			all = append(all, v)
		}
	}
	return all
}

func narrow[T uint8 | uint16 | uint32 | int8 | int16 | int32, F uint64 | int64](wide []F) []T {
	all := []T{}
	for _, v := range wide {
		all = append(all, T(v))
	}
	return all
}

func parsed(t *testing.T, packed []byte) nvlist.View {
	t.Helper()
	v, err := nvlist.Parse(packed)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestViewReadsWhatDecodeReads(t *testing.T) {
	for _, v := range slices.Concat(goldenTypes(t), goldenEvents(t), recordedEvents(t)) {
		view := parsed(t, v.stream)
		want, err := nvlist.Decode(v.stream)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, read(view)); diff != "" {
			t.Errorf("%s, XDR %t (-Decode +View):\n%s", v.name, v.xdr, diff)
		}
	}
}

func TestViewLookup(t *testing.T) {
	list := nvlist.List{Pairs: []nvlist.Pair{
		{Name: "a", Type: nvlist.Uint64, Value: uint64(1)},
		{Name: "l", Type: nvlist.NVList, Value: pair("a", nvlist.Uint64, uint64(2))},
		{Name: "a", Type: nvlist.Uint64, Value: uint64(3)},
		{Name: "a", Type: nvlist.String, Value: "s"},
		{Name: "b", Type: nvlist.Uint64, Value: uint64(4)},
		{Name: "", Type: nvlist.Boolean},
	}}
	for _, h := range []nvlist.Header{little, {BigEndian: true}, xdr} {
		packed, err := nvlist.Encode(list, h)
		if err != nil {
			t.Fatal(err)
		}
		v := parsed(t, packed)
		if v.Header() != h {
			t.Errorf("Header: got %+v, want %+v", v.Header(), h)
		}
		a, _ := v.Lookup("a", nvlist.Uint64)
		if n, ok := a.Uint(0); n != 3 || !ok {
			t.Errorf("%+v: a, a UINT64: got %d, %t, want the last: 3, true", h, n, ok)
		}
		s, _ := v.Lookup("a", nvlist.String)
		if text, ok := s.Bytes(); string(text) != "s" || !ok {
			t.Errorf("%+v: a, a STRING: got %q, %t, want s, true", h, text, ok)
		}
		if p, ok := v.Lookup("", nvlist.Boolean); !ok || p.Len() != 0 {
			t.Errorf("%+v: the empty name: got %t of %d elements, want true of 0", h, ok, p.Len())
		}
		list.Flags = nvlist.UniqueName
		unique := parsed(t, encoded(t, list, h))
		if _, ok := unique.Lookup("a", nvlist.Uint64); ok {
			t.Errorf("%+v: found a, a UINT64, before the last a of a list of unique names, a STRING", h)
		}
		list.Flags = 0
		for _, none := range []nvlist.Type{nvlist.Int64, nvlist.Boolean} {
			if _, ok := v.Lookup("a", none); ok {
				t.Errorf("%+v: found a, a %v", h, none)
			}
		}
	}
}

// TestPairViewOfAnotherType asks for what a pair has not.
func TestPairViewOfAnotherType(t *testing.T) {
	number, _ := parsed(t, golden(t, "uint64", false)).Lookup("u64", nvlist.Uint64)
	text, _ := parsed(t, golden(t, "string", true)).Lookup("s", nvlist.String)
	for _, p := range []nvlist.PairView{number, text, {}} {
		_, isInt := p.Int(0)
		_, isBool := p.Bool(0)
		_, isFloat := p.Float64()
		_, isList := p.List()
		_, before := p.Uint(-1)
		_, behind := p.Uint(1)
		if isInt || isBool || isFloat || isList || before || behind {
			t.Errorf("%v: got int %t, bool %t, float %t, list %t, elements -1 %t and 1 %t, want none",
				p.Type(), isInt, isBool, isFloat, isList, before, behind)
		}
		for range p.Lists() {
			t.Errorf("%v: has lists", p.Type())
		}
	}
	if _, ok := number.Bytes(); ok {
		t.Error("a UINT64 has bytes")
	}
	for range number.Strings() {
		t.Error("a UINT64 has strings")
	}
}

func TestZeroView(t *testing.T) {
	var v nvlist.View
	if _, ok := v.Lookup("", nvlist.Boolean); ok {
		t.Error("the zero View has a pair")
	}
	if diff := cmp.Diff(nvlist.List{}, v.List()); diff != "" {
		t.Error(diff)
	}
}

func TestBytesBehindTheList(t *testing.T) {
	for _, isXDR := range []bool{false, true} {
		packed := golden(t, "uint64", isXDR)
		want := read(parsed(t, packed))
		if diff := cmp.Diff(want, read(parsed(t, append(packed, 1, 2, 3)))); diff != "" {
			t.Error(diff)
		}
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	for _, event := range []vector{recordedEvents(t)[0], {stream: encoded(t, decoded(t, recordedEvents(t)[0].stream), xdr)}} {
		allocs := testing.AllocsPerRun(100, func() {
			v, err := nvlist.Parse(event.stream)
			if err != nil {
				t.Fatal(err)
			}
			class, _ := v.Lookup("class", nvlist.String)
			if text, ok := class.Bytes(); !ok || len(text) == 0 {
				t.Fatal("no class")
			}
			pairs := 0
			for p := range v.Pairs() {
				pairs += p.Len()
			}
			if pairs == 0 {
				t.Fatal("no pairs")
			}
		})
		if allocs != 0 {
			t.Errorf("got %v allocations, want none", allocs)
		}
	}
}
