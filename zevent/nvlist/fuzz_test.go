package nvlist_test

import (
	"bytes"
	"testing"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// addStreams seeds a fuzz target with what libnvpair and a kernel packed, and
// some of it in XDR.
func addStreams(f *testing.F) {
	for _, v := range append(goldenTypes(f), goldenEvents(f)...) {
		f.Add(v.stream)
	}
	recorded := recordedEvents(f)
	for i := 0; i < len(recorded); i += 25 {
		list, err := nvlist.Decode(recorded[i].stream)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(recorded[i].stream)
		f.Add(encoded(f, list, xdr))
	}
}

func encoded(tb testing.TB, l nvlist.List, h nvlist.Header) []byte {
	tb.Helper()
	packed, err := nvlist.Encode(l, h)
	if err != nil {
		tb.Fatalf("Encode of what Decode read: %v", err)
	}
	return packed
}

func decoded(tb testing.TB, packed []byte) nvlist.List {
	tb.Helper()
	l, err := nvlist.Decode(packed)
	if err != nil {
		tb.Fatalf("Decode of what Encode wrote: %v", err)
	}
	return l
}

// FuzzParse wants no panic, and of what is accepted the same values from a View
// as from Decode.
func FuzzParse(f *testing.F) {
	addStreams(f)
	f.Fuzz(func(t *testing.T, packed []byte) {
		v, err := nvlist.Parse(packed)
		if err != nil {
			return
		}
		list := v.List()
		want := encoded(t, list, xdr)
		if got := encoded(t, read(v), xdr); !bytes.Equal(got, want) {
			t.Fatalf("a View has %x, Decode gives %x", got, want)
		}
		wants := []nvlist.Want{{Name: "class", Type: nvlist.String}, {Name: "eid", Type: nvlist.Uint64}}
		for p := range v.Pairs() {
			wants = append(wants, nvlist.Want{Name: string(p.Name()), Type: p.Type()}, nvlist.Want{Name: string(p.Name()), Type: nvlist.Uint64})
		}
		sameLookups(t, packed, v, wants[:min(len(wants), 40)])
		for p := range v.Pairs() {
			last, _ := list.Lookup(string(p.Name()))
			want := last.Type == p.Type() || v.Flags()&nvlist.UniqueName == 0
			if _, ok := v.Lookup(string(p.Name()), p.Type()); ok != want {
				t.Fatalf("Lookup of %q, a %v: got %t, want %t", p.Name(), p.Type(), ok, want)
			}
		}
	})
}

// sameLookups wants what is looked up while a stream is checked to be what is looked up later.
func sameLookups(t *testing.T, packed []byte, v nvlist.View, wants []nvlist.Want) {
	t.Helper()
	found := make([]nvlist.PairView, len(wants))
	if _, err := nvlist.ParseLookup(packed, wants, found); err != nil {
		t.Fatalf("Parse takes what ParseLookup refuses: %v", err)
	}
	for i, want := range wants {
		p, ok := v.Lookup(want.Name, want.Type)
		if got := &found[i]; (got.Type() != 0) != ok || ok && got.Offset() != p.Offset() {
			t.Fatalf("%q, a %v: Lookup found %t at %d, ParseLookup a %v at %d", want.Name, want.Type, ok, p.Offset(), got.Type(), got.Offset())
		}
	}
}

// FuzzDecodeEncodeDecode wants that what decodes also encodes, in either
// encoding, and decodes to the same again.
func FuzzDecodeEncodeDecode(f *testing.F) {
	addStreams(f)
	f.Fuzz(func(t *testing.T, packed []byte) {
		list, err := nvlist.Decode(packed)
		if err != nil {
			return
		}
		h, err := nvlist.ParseHeader(packed)
		if err != nil {
			t.Fatal(err)
		}
		once := encoded(t, list, h)
		if h.Encoding == nvlist.Native && len(once) > len(packed) {
			t.Fatalf("%d bytes decode and encode to %d", len(packed), len(once))
		}
		again := decoded(t, once)
		if twice := encoded(t, again, h); !bytes.Equal(once, twice) {
			t.Fatal("a second round gives other bytes")
		}
		for _, other := range []nvlist.Header{little, {BigEndian: true}, xdr} {
			through := decoded(t, encoded(t, again, other))
			if back := encoded(t, through, h); !bytes.Equal(once, back) {
				t.Fatalf("%+v and back gives other bytes", other)
			}
		}
	})
}
