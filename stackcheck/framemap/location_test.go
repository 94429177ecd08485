package framemap

import (
	"debug/dwarf"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

func testUnit(version int, s sections) *unit {
	return &unit{
		locations: locations{reading: &reading{file: new(object.File), sections: &s, work: 1000}, order: binary.LittleEndian, version: version},
		belowCFA:  true,
		types:     make(map[dwarf.Offset]typeInfo), origins: make(map[dwarf.Offset]origin),
	}
}

func TestInFrame(t *testing.T) {
	for _, test := range []struct {
		name       string
		expression string
		want       []Span
	}{
		{"offset", "\x91\x70", []Span{{-16, -8}}},
		{"argument above the frame", "\x91\x08", nil},
		{"register", "\x50", nil},
		{"stack pointer that is rounded down", "\x77\x10", []Span{{stackPointerAt + 16, stackPointerAt + 24}}},
		{"address", "\x03\x00\x00\x00\x00\x00\x00\x00\x00", nil},
		{"what a place points at", "\x91\x70\x06", nil},
		{"value that is computed from a place", "\x91\x70\x9f", nil},
		{"pieces", "\x91\x70\x93\x04\x50\x93\x04", []Span{{-16, -12}}},
		{"pieces, one of which is nowhere", "\x93\x08\x91\x60\x93\x02", []Span{{-32, -30}}},
		{"further on", "\x91\x60\x23\x08", []Span{{-24, -16}}},
		{"further on than any frame", "\x91\x60\x23\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", nil},
		{"pieces, one of which is in a part that begins further on", "\x93\x04\x91\x60\x23\x04\x93\x04", []Span{{-28, -24}}},
		{"without a value", "\x91", nil},
		{"a number that does not end", "\x91\xff\xff", nil},
		{"too far", "\x91\x80\x80\x80\x80\x80\x80\x40", nil},
		{"nothing", "", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, testUnit(5, sections{}).inFrame([]byte(test.expression), 8)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLocationLists(t *testing.T) {
	list := "\x04\x00\x10\x02\x91\x70" + // for some instructions there
		"\x04\x10\x20\x01\x50" + // then in a register
		"\x07AAAAAAAABBBBBBBB\x02\x91\x60" + // then elsewhere
		"\x00"
	u := testUnit(5, sections{loclists: []byte("xx" + list)})
	got := u.spans(&dwarf.Field{Class: dwarf.ClassLocListPtr, Val: int64(2)}, 8)
	if diff := cmp.Diff([]Span{{-32, -24}, {-16, -8}}, got); diff != "" {
		t.Errorf("list of DWARF 5 (-want +got):\n%s", diff)
	}
	u = testUnit(5, sections{loclists: []byte("xx" + "\x08\x00\x00\x00\x09\x00\x00\x00" + "\x00" + list)})
	u.listsBase = 2
	got = u.spans(&dwarf.Field{Class: dwarf.ClassLocList, Val: uint64(1)}, 8) // as clang has them
	if diff := cmp.Diff([]Span{{-32, -24}, {-16, -8}}, got); diff != "" {
		t.Errorf("list of DWARF 5, by its number (-want +got):\n%s", diff)
	}
	for _, number := range []uint64{2, 1 << 28, 1 << 62} {
		if got := u.spans(&dwarf.Field{Class: dwarf.ClassLocList, Val: number}, 8); got != nil {
			t.Errorf("list %d of two gives %v", number, got)
		}
	}
	old := "\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x02\x00\x91\x70" + string(make([]byte, 16))
	u = testUnit(4, sections{loc: []byte(old)})
	got = u.spans(&dwarf.Field{Class: dwarf.ClassLocListPtr, Val: int64(0)}, 8)
	if diff := cmp.Diff([]Span{{-16, -8}}, got); diff != "" {
		t.Errorf("list of DWARF 4 (-want +got):\n%s", diff)
	}
	for _, at := range []int64{-1, 1, 1 << 40} {
		if got := testUnit(5, sections{}).spans(&dwarf.Field{Class: dwarf.ClassLocListPtr, Val: at}, 8); got != nil {
			t.Errorf("a list at byte %d of none gives %v", at, got)
		}
	}
}
