package object

import (
	"bytes"
	stdcmp "cmp"
	"debug/elf"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// small is a module of a few functions, with ORC of Linux 6.1 and 6.12, and as clang makes it.
var small = []string{
	"../../testdata/small-module/gcc/small.ko",
	"../../testdata/small-module/since-6.4/small.ko",
	"../../testdata/small-module/clang/small.ko",
	"../../testdata/small-module/clang/frames.o",
}

func content(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func openBytes(data []byte) (*File, error) {
	return Open(bytes.NewReader(data), int64(len(data)), "x.ko")
}

func TestFunctions(t *testing.T) {
	f, err := openBytes(content(t, small[0]))
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Symbol, Aliases, File string
		Local                 bool
		Cold                  int
	}
	want := []row{
		{"local", "", "frames.c", true, 0}, {"cloned.constprop.0", "", "frames.c", true, 0},
		{"leaf", "", "", false, 0}, {"fixed", "", "", false, 0}, {"pushed", "", "", false, 0}, {"variable", "", "", false, 0},
		{"realigned", "", "", false, 0}, {"use_local", "", "", false, 0}, {"use_cloned", "", "", false, 0},
		{"push_in_assembly", "", "", false, 0}, {"start", "init_module", "frames.c", true, 0},
		{"local", "", "other.c", true, 0}, {"use_other_local", "", "", false, 0},
		{"in_assembly", "", "", false, 0}, {"has_cold_part", "", "", false, 1}, {"unchecked", "", "", false, 0},
	}
	var got []row
	for _, fn := range f.Functions() {
		got = append(got, row{fn.Symbol, strings.Join(fn.Aliases, " "), fn.File, fn.Local, len(fn.Cold)})
		if i, ok := f.Index(fn.Start); !ok || f.Functions()[i].Symbol != fn.Symbol || fn.Size == 0 {
			t.Errorf("%+v is not found at its address, or has no size", fn)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || f.Linked || f.Machine != elf.EM_X86_64 {
		t.Errorf("linked %v, machine %v, functions (-want +got):\n%s", f.Linked, f.Machine, diff)
	}
}

// A stripped module does not tell files: parts of functions of one name are told apart by the order of symbols.
func TestColdPartsOfNamesakes(t *testing.T) {
	f := File{order: binary.LittleEndian, little: true, Sections: make([]Section, 2)}
	add := func(symbol string, offset uint64, bind elf.SymBind) {
		var raw [symbolBytes]byte
		f.order.PutUint32(raw[:], uint32(len(f.names)))
		raw[4] = elf.ST_INFO(bind, elf.STT_FUNC)
		f.order.PutUint16(raw[6:], 1)
		f.order.PutUint64(raw[8:], offset)
		f.order.PutUint64(raw[16:], 8)
		f.symbols = append(f.symbols, raw[:]...)
		f.names += stringTable(symbol + "\x00")
	}
	add("f", 0, elf.STB_LOCAL)
	add("f.cold", 32, elf.STB_LOCAL)
	add("f", 8, elf.STB_LOCAL)
	add("f.cold.7", 40, elf.STB_LOCAL)
	add("g.cold", 24, elf.STB_LOCAL)
	add("h.cold", 48, elf.STB_LOCAL)
	add("f.colder", 56, elf.STB_LOCAL)
	add("g", 16, elf.STB_GLOBAL)
	f.findFunctions()
	var got []string
	for _, fn := range f.Functions() {
		text := fn.Symbol
		for _, part := range fn.Cold {
			text += " " + string(rune('0'+part.Start.Offset/8))
			if owner := f.Holding(part.Start); owner == nil || owner.Start != fn.Start {
				t.Errorf("the part of %s at %d is held by %+v", fn.Symbol, part.Start.Offset, owner)
			}
		}
		got = append(got, text)
	}
	if diff := cmp.Diff([]string{"f 4", "f 5", "g 3", "h.cold", "f.colder"}, got); diff != "" {
		t.Errorf("functions with their parts (-want +got):\n%s", diff)
	}
}

// No name is longer than any that there is: a damaged table may have no end of a string.
func TestLongName(t *testing.T) {
	table := stringTable("short\x00" + strings.Repeat("x", 2*maxNameBytes))
	for offset, want := range map[uint32]int{0: 5, 3: 2, 5: 0, 6: maxNameBytes, uint32(len(table)) - 1: 1, uint32(len(table)): 0} {
		if got := table.at(offset); len(got) != want {
			t.Errorf("the string at %d has %d bytes, want %d", offset, len(got), want)
		}
	}
}

func TestSortByDigits(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, most := range []uint64{0, 1, 1 << 11, 1 << 26, 1<<64 - 1} {
		all := make([]place, 5000)
		for i := range all {
			all[i] = place{offset: random.Uint64() & most, number: uint32(i)}
		}
		want := slices.Clone(all)
		slices.SortStableFunc(want, func(a, b place) int { return stdcmp.Compare(a.offset, b.offset) })
		if got := sortByDigits(all, func(p *place) uint64 { return p.offset }); !slices.Equal(got, want) {
			t.Errorf("offsets within %#x are not sorted, or those of one offset are not in their order", most)
		}
	}
	if got := sortByDigits(nil, func(p *place) uint64 { return p.offset }); len(got) > 0 {
		t.Errorf("none became %v", got)
	}
}

func TestPointers(t *testing.T) {
	f, err := openBytes(content(t, small[0]))
	if err != nil {
		t.Fatal(err)
	}
	pointers, err := f.Pointers(f.Find(".orc_unwind_ip")[0])
	if err != nil || len(pointers) != int(f.Find(".orc_unwind_ip")[0].Size/4) {
		t.Errorf("%d pointers, error %v; want one for each word", len(pointers), err)
	}
}

// Every header that lies about the file is found out.
func TestOpenDamaged(t *testing.T) {
	whole := content(t, small[0])
	order := binary.LittleEndian
	table := int(order.Uint64(whole[0x28:])) // section headers
	section := func(data []byte, kind elf.SectionType) []byte {
		for at := table; at < len(data); at += sectionBytes {
			if elf.SectionType(order.Uint32(data[at+4:])) == kind {
				return data[at:]
			}
		}
		t.Fatalf("no section of type %v", kind)
		return nil
	}
	tests := []struct {
		name   string
		damage func(data []byte) []byte
		want   string
	}{
		{"empty", func([]byte) []byte { return nil }, "x.ko: no ELF file"},
		{"text", func([]byte) []byte { return []byte(strings.Repeat("text", 100)) }, "x.ko: no ELF file"},
		{"32 bits", func(d []byte) []byte { d[4] = 1; return d }, "x.ko: no ELF file of 64 bits"},
		{"byte order", func(d []byte) []byte { d[5] = 9; return d }, "x.ko: byte order"},
		{"cut in the header", func(d []byte) []byte { return d[:40] }, "x.ko: the ELF header is cut off"},
		{"cut", func(d []byte) []byte { return d[:len(d)/2] }, "x.ko: the section headers: 960 bytes from byte"},
		{"far section headers", func(d []byte) []byte { order.PutUint64(d[0x28:], 1<<63); return d }, "lie outside of the file, which has"},
		{"small section headers", func(d []byte) []byte { order.PutUint16(d[0x3a:], 8); return d }, "section headers of 8 bytes, want 64"},
		{"no section headers", func(d []byte) []byte { order.PutUint16(d[0x3c:], 0); return d }, "no section headers"},
		{"names", func(d []byte) []byte { order.PutUint16(d[0x3e:], 0xffff); return d }, "the names of sections: section 65535 of"},
		{"far symbols", func(d []byte) []byte { order.PutUint64(section(d, elf.SHT_SYMTAB)[0x18:], 1<<40); return d }, "the symbol table: "},
		{"large symbols", func(d []byte) []byte { order.PutUint64(section(d, elf.SHT_SYMTAB)[0x20:], 1<<62); return d }, "the symbol table: "},
		{"stripped", func(d []byte) []byte { order.PutUint32(section(d, elf.SHT_SYMTAB)[4:], 1); return d }, ErrNoSymbols.Error()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := openBytes(test.damage(bytes.Clone(whole)))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
	if _, err := openBytes(nil); !errors.Is(err, ErrNotELF) {
		t.Errorf("an empty file gives %v", err)
	}
}

// A section may be as large as a file of gigabytes; it is not read.
func TestDataIsBounded(t *testing.T) {
	data := content(t, small[0])
	f, err := Open(bytes.NewReader(data), 1<<31, "x.ko") // as if there were 2 GB
	if err != nil {
		t.Fatal(err)
	}
	s := f.Find(".orc_unwind")[0]
	s.Size = MaxSectionBytes + 1
	if _, err := f.Data(s); err == nil || !strings.Contains(err.Error(), "x.ko: section .orc_unwind: 67108865 bytes, more than the 64 MiB") {
		t.Errorf("error %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	for _, file := range small {
		f.Add(content(f, file))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := openBytes(data)
		if err != nil {
			return
		}
		for i, fn := range file.Functions() {
			if fn.Symbol == "" || i > 0 && file.Functions()[i-1].Start.Compare(fn.Start) >= 0 {
				t.Errorf("function %d: %+v", i, fn)
			}
		}
		for i := range file.Sections {
			file.Pointers(&file.Sections[i])
		}
	})
}
