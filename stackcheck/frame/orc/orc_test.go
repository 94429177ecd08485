package orc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

const testdata = "../../../testdata/small-module/"

// modules are one module with ORC as objtool of Linux 6.1, 6.12 and 7.3 wrote it.
var modules = []string{"gcc/small.ko", "since-6.4/small.ko", "since-7.2/small.ko"}

func content(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(testdata + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func open(data []byte) (*object.File, error) {
	return object.Open(bytes.NewReader(data), int64(len(data)), "x.ko")
}

func read(t *testing.T, name string) (*object.File, *Table) {
	t.Helper()
	f, err := open(content(t, name))
	if err != nil {
		t.Fatal(err)
	}
	table, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return f, table
}

func TestSizes(t *testing.T) {
	type size struct {
		Function string
		Bytes    int
		Kind     frame.Kind
	}
	want := []size{
		{"local", 64, frame.Static}, {"cloned.constprop.0", 144, frame.Static}, {"leaf", 8, frame.Static},
		{"fixed", 312, frame.Static}, {"pushed", 32, frame.Static},
		{"variable", 16, frame.Dynamic}, {"realigned", 144, frame.Dynamic}, // by the frame pointer
		{"use_local", 24, frame.Static}, {"use_cloned", 24, frame.Static}, {"push_in_assembly", 16, frame.Static},
		{"start", 24, frame.Static}, {"local", 224, frame.Static}, {"use_other_local", 24, frame.Static},
		{"in_assembly", 64, frame.Static},
		{"has_cold_part", 40, frame.Static}, // 32 without the part
		{"", 0, ""},                         // unchecked
	}
	for _, name := range modules {
		t.Run(name, func(t *testing.T) {
			f, table := read(t, name)
			var got []size
			for i, s := range table.Sizes(f) {
				got = append(got, size{s.Function, s.Bytes, s.Kind})
				if fn := f.Functions()[i]; s.Function != "" && (s.Symbol != fn.Symbol || s.File != fn.File || s.Source != frame.SourceORC) {
					t.Errorf("%s has the frame %+v", fn.Symbol, s)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("sizes (-want +got):\n%s", diff)
			}
		})
	}
}

// The depth at a call site is that at its call, which may be less than the function's frame.
func TestDepthAtCallSites(t *testing.T) {
	f, table := read(t, modules[0])
	depths := func(function string) (depths []int) {
		for _, fn := range f.Functions() {
			if fn.Symbol != function {
				continue
			}
			for _, p := range calls(t, f) {
				if p.Section == fn.Start.Section && p.Offset-fn.Start.Offset < fn.Size {
					row, _ := table.At(p)
					depth, _, _ := row.Depth()
					depths = append(depths, depth)
				}
			}
		}
		return depths
	}
	for function, want := range map[string][]int{
		"in_assembly": {64}, "has_cold_part": {32, 32}, "fixed": {312}, "pushed": {32}, "leaf": nil,
	} {
		if diff := cmp.Diff(want, depths(function)); diff != "" {
			t.Errorf("%s: depths (-want +got):\n%s", function, diff)
		}
	}
}

// calls returns where the code has relocations.
func calls(t *testing.T, f *object.File) (places []object.Address) {
	t.Helper()
	text := f.Find(".text")[0]
	pointers, err := f.Pointers(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pointers {
		places = append(places, object.Address{Section: text.Index, Offset: p.Field})
	}
	return places
}

func TestDepth(t *testing.T) {
	tests := []struct {
		name      string
		row       Row
		bytes     int
		exact, ok bool
	}{
		{"at the entry", Row{Base: SP, Offset: 8}, 8, true, true},
		{"frame pointer", Row{Base: BP, Offset: 16}, 16, false, true},
		{"another register", Row{Base: OtherBase, Offset: 8}, 8, false, true}, // R10 of a realigned frame
		{"all registers of an interrupt", Row{Base: SP, Kind: Regs}, 168, true, true},
		{"those that the processor pushes, and an error code", Row{Base: SP, Offset: 8, Kind: RegsPartial}, 48, true, true},
		{"nothing known", Row{}, 0, false, false},
		{"end of the stack", Row{Base: SP, Offset: 8, Kind: Unknown}, 0, false, false},
		{"damaged", Row{Base: SP, Offset: -32768, Kind: Regs}, 0, true, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if bytes, exact, ok := test.row.Depth(); bytes != test.bytes || exact != test.exact || ok != test.ok {
				t.Errorf("Depth() = %d, %t, %t; want %d, %t, %t", bytes, exact, ok, test.bytes, test.exact, test.ok)
			}
		})
	}
}

// Code that is entered with something on the stack counts what it adds, and the return address.
func TestFrameOfJumpedTo(t *testing.T) {
	table := Table{entry: 8}
	e := table.measure([]Row{{Base: SP, Offset: 40}, {Base: SP, Offset: 64}})
	if bytes, kind, ok := e.frame(); bytes+table.entry != 32 || kind != frame.Static || !ok {
		t.Errorf("%d bytes, %s, %t; want 32, static", bytes, kind, ok)
	}
}

func TestLayouts(t *testing.T) {
	const sp = 5
	classified := func(flags ...uint16) []Row {
		content := make([]byte, 0, len(flags)*rowBytes)
		for _, f := range flags {
			content = append(content, 8, 0, 0, 0)
			content = binary.LittleEndian.AppendUint16(content, f)
		}
		table := Table{rows: make([]Row, len(flags))}
		if err := table.decode(0, content); err != nil {
			t.Fatal(err)
		}
		table.classify()
		return table.rows
	}
	kinds := func(flags ...uint16) (kinds []Kind) {
		for _, r := range classified(flags...) {
			kinds = append(kinds, r.Kind)
		}
		return kinds
	}
	bases := func(flags ...uint16) (bases []Base) {
		for _, r := range classified(flags...) {
			bases = append(bases, r.Base)
		}
		return bases
	}
	// Linux 6.3 had the flags of both, and the types of those before: calls, registers, a part of them.
	if diff := cmp.Diff([]Kind{Call, Call, Regs, RegsPartial}, kinds(sp, sp, sp|1<<8|1<<10, sp|2<<8)); diff != "" {
		t.Errorf("until 6.3 (-want +got):\n%s", diff)
	}
	// Undefined, end of the stack, calls, registers, a part of them.
	if diff := cmp.Diff([]Kind{Unknown, Unknown, Call, Call, Regs, RegsPartial}, kinds(0, 1<<8, sp|2<<8, sp|2<<8, sp|3<<8|1<<11, sp|4<<8)); diff != "" {
		t.Errorf("since 6.4 (-want +got):\n%s", diff)
	}
	const call = 2 << 8
	if diff := cmp.Diff([]Base{Undefined, SP, SP, BP, OtherBase, OtherBase}, bases(0, 5|call, 5|call, 4|call, 3|call, 10|call)); diff != "" {
		t.Errorf("registers until 7.1 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Base{Undefined, SP, SP, BP, OtherBase, OtherBase}, bases(0, 3|call, 3|call, 4|call, 5|call, 10|call)); diff != "" {
		t.Errorf("registers since 7.2 (-want +got):\n%s", diff)
	}
}

// The row that closes an object stands at the address of the next object's first row, in any order.
func TestSort(t *testing.T) {
	at := func(section uint16, offset uint64, base Base) Row {
		return Row{section: section, offset: offset, Base: base}
	}
	table := Table{rows: []Row{at(1, 0, SP), at(2, 0, SP), at(1, 8, BP), at(1, 8, Undefined), at(2, 4, Undefined), at(1, 4, SP)}}
	table.sort()
	want := []Row{at(1, 0, SP), at(1, 4, SP), at(1, 8, Undefined), at(1, 8, BP), at(2, 0, SP), at(2, 4, Undefined)}
	if diff := cmp.Diff(want, table.rows, cmp.AllowUnexported(Row{}, raw{})); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if row, ok := table.At(object.Address{Section: 1, Offset: 100}); !ok || row != want[3] {
		t.Errorf("the last row of a section holds to its end: got %+v", row)
	}
	if _, ok := table.At(object.Address{Section: 3}); ok {
		t.Error("a section without rows has one")
	}
}

func TestReadDamaged(t *testing.T) {
	section := func(f *object.File, name string) uint64 { return f.Find(name)[0].Off }
	tests := []struct {
		name   string
		damage func(f *object.File, data []byte)
		want   string
	}{
		{"register", func(f *object.File, data []byte) { data[section(f, rowsSection)+4] = 0xf }, "x.ko: section .orc_unwind: row 0 tells by register 15"},
		{"sizes", func(f *object.File, _ []byte) { f.Find(rowsSection)[0].Size -= 2 }, "x.ko: section .orc_unwind: "},
		{"no relocations", func(f *object.File, _ []byte) { f.Find(".rela" + addressesSection)[0].Size = 0 }, "but 0 relocations"},
		{"twice", func(f *object.File, data []byte) { data[section(f, ".rela"+addressesSection)+24] = 0 }, "x.ko: section .orc_unwind_ip: two relocations of row 0"},
		{"symbol", func(f *object.File, data []byte) { data[section(f, ".rela"+addressesSection)+15] = 9 }, "relocation 0: symbol 1509"},
		{"outside", func(f *object.File, _ []byte) { f.Find(rowsSection)[0].Off = 1 << 40 }, "lie outside of the file"},
		{"debug information", func(f *object.File, _ []byte) { f.Find(rowsSection)[0].Type = 8 }, "has no content"},
		{"machine", func(f *object.File, _ []byte) { f.Machine = 258 }, "only that of x86-64 is read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data := content(t, modules[0])
			f, err := open(data)
			if err != nil {
				t.Fatal(err)
			}
			test.damage(f, data)
			if _, err := Read(f); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
	f, err := open(content(t, "clang/small.ko"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Read(f); !errors.Is(err, ErrNone) {
		t.Errorf("an object without ORC gives %v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range append(modules, "patched/6.1/patched.ko", "patched/6.12/vmlinux", "aarch64/frames.ko") {
		f.Add(content(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := open(data)
		if err != nil {
			return
		}
		derived, err := fromCode(file)
		if err == nil {
			derived.Sizes(file)
		}
		table, err := Read(file)
		if err != nil {
			return
		}
		for i, s := range table.Sizes(file) {
			if s.Source != "" && (s.Bytes < returnAddressBytes || s.Bytes > frame.MaxBytes) {
				t.Errorf("frame %d: %+v", i, s)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	data := content(b, modules[0])
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		f, err := open(data)
		if err != nil {
			b.Fatal(err)
		}
		table, err := Read(f)
		if err != nil {
			b.Fatal(err)
		}
		table.Sizes(f)
	}
}
