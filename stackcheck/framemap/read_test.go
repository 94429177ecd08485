package framemap

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

const recorded = "../../testdata/small-module/inlined/"

func readObject(t *testing.T, name string) ([]*Map, error) {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return readAll(t, content)
}

func readAll(t testing.TB, content []byte) ([]*Map, error) {
	t.Helper()
	r := bytes.NewReader(content)
	f, err := object.Open(r, int64(len(content)), "object")
	if err != nil {
		return nil, err
	}
	return Read(r, f, func(object.Function) bool { return true })
}

func find(t *testing.T, maps []*Map, symbol string) *Map {
	t.Helper()
	for _, m := range maps {
		if m.Symbol == symbol {
			return m
		}
	}
	t.Fatalf("no map of %s among %d", symbol, len(maps))
	return nil
}

// What gcc tells of a function of aarch64 begins behind the NOPs that are to be patched for tracing.
func TestReadOfTracedFunctions(t *testing.T) {
	maps, err := readObject(t, "../../testdata/small-module/aarch64/traced.o")
	if err != nil {
		t.Fatal(err)
	}
	if m := find(t, maps, "traced"); Bytes(m.Own()) != 100 {
		t.Errorf("%d bytes of its own variables, want 100", Bytes(m.Own()))
	}
}

func TestReadTellsWhatWasInlined(t *testing.T) {
	maps, err := readObject(t, recorded+"parent.o")
	if err != nil {
		t.Fatal(err)
	}
	m := find(t, maps, "parent")
	got := m.InlinedFunctions()
	file := "parent.c"
	at := func(line, column int) Position { return Position{file, line, column} }
	want := []Inlined{
		{Function: "step", Place: at(11, 13), Local: true, Sites: []Position{at(16, 51)}, Into: []string{"parent"}, OwnBytes: 64, Bytes: 272, MarginalBytes: 72},
		{Function: "step_one", Place: at(9, 13), Local: true, Sites: []Position{at(11, 53)}, Into: []string{"step"}, OwnBytes: 208, Bytes: 208, MarginalBytes: 8},
		{Function: "step_two", Place: at(10, 13), Local: true, Sites: []Position{at(16, 59)}, Into: []string{"parent"}, OwnBytes: 200, Bytes: 200, MarginalBytes: 0},
	}
	withoutDirectory := cmpopts.AcyclicTransformer("base", func(p Position) Position { p.File = filepath.Base(p.File); return p })
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Inlined{}), withoutDirectory); diff != "" {
		t.Errorf("inlined into parent (-want +got):\n%s", diff)
	}
	if own, covered := Bytes(m.Own()), Bytes(m.Covered(nil)); own != 64 || covered != 336 {
		t.Errorf("%d bytes of its own, %d covered; want 64 and 336", own, covered)
	}
	if m.Local || !strings.Contains(m.Compiler, "-O2") || m.Place.Line != 16 {
		t.Errorf("parent is %+v", m.Place)
	}
	var calls []Call
	m.Walk(func(chain []*Scope) bool { calls = append(calls, chain[len(chain)-1].Calls...); return true })
	if len(calls) != 6 {
		t.Errorf("calls %v, want 6", calls)
	}
	if v := m.Variables[0]; v.Name != "totals" || v.Type != "long int[8]" || v.Bytes != 64 {
		t.Errorf("the first variable is %+v", v)
	}
}

// All that compilers can be told to write tells the same.
func TestReadOtherForms(t *testing.T) {
	source, err := filepath.Abs(recorded + "parent.c")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		compiler []string
		bytes    int // that are covered in parent
	}{
		{"DWARF 5", []string{"gcc", "-gdwarf-5"}, 336},
		{"DWARF 4", []string{"gcc", "-gdwarf-4"}, 336},
		{"DWARF 2", []string{"gcc", "-gdwarf-2"}, 336},
		{"DWARF 3", []string{"gcc", "-gdwarf-3"}, 336},
		{"compressed", []string{"gcc", "-g", "-gz=zlib"}, 336},
		{"sections", []string{"gcc", "-g", "-ffunction-sections"}, 336},
		{"clang", []string{"clang", "-gdwarf-5"}, 336},
		{"clang, DWARF 4", []string{"clang", "-gdwarf-4"}, 336},
		{"clang for aarch64", []string{"clang", "-g", "--target=aarch64-linux-gnu"}, 336},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := exec.LookPath(test.compiler[0]); err != nil {
				t.Skip(err)
			}
			output := filepath.Join(t.TempDir(), "parent.o")
			args := append(test.compiler[1:], "-O2", "-fno-stack-protector", "-ffreestanding", "-c", source, "-o", output)
			if out, err := exec.CommandContext(t.Context(), test.compiler[0], args...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			maps, err := readObject(t, output)
			if err != nil {
				t.Fatal(err)
			}
			m := find(t, maps, "parent")
			var names []string
			for _, i := range m.InlinedFunctions() {
				names = append(names, i.Function)
			}
			if diff := cmp.Diff([]string{"step", "step_one", "step_two"}, names, cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Errorf("inlined (-want +got):\n%s", diff)
			}
			only := find(t, maps, "through").Inlined
			if calls := only[0].Calls; len(calls) != 3 || calls[1].Callee != "deep" && calls[0].Callee != "deep" && calls[2].Callee != "deep" {
				t.Errorf("calls in only: %v, want deep among 3", calls)
			}
			if covered := Bytes(m.Covered(nil)); covered != test.bytes {
				t.Errorf("%d bytes covered, want %d", covered, test.bytes)
			}
			if base := filepath.Base(m.Place.File); base != "parent.c" {
				t.Errorf("parent stands in %q", m.Place.File)
			}
		})
	}
}

// Units without a function that is wanted are not read; those of an object without debug information can not be.
func TestReadOnlyWhatIsWanted(t *testing.T) {
	content, err := os.ReadFile(recorded + "parent.o")
	if err != nil {
		t.Fatal(err)
	}
	r := bytes.NewReader(content)
	f, err := object.Open(r, int64(len(content)), "parent.o")
	if err != nil {
		t.Fatal(err)
	}
	if maps, err := Read(r, f, func(object.Function) bool { return false }); len(maps) > 0 || err != nil {
		t.Errorf("%d maps, error %v", len(maps), err)
	}
	if _, err := readObject(t, "../../testdata/small-module/clang/small.ko"); !errors.Is(err, ErrNone) {
		t.Errorf("error %v, want %v", err, ErrNone)
	}
}

func TestReadDamaged(t *testing.T) {
	content, err := os.ReadFile(recorded + "parent.o")
	if err != nil {
		t.Fatal(err)
	}
	f, err := object.Open(bytes.NewReader(content), int64(len(content)), "parent.o")
	if err != nil {
		t.Fatal(err)
	}
	info := f.Find(".debug_info")[0]
	for _, test := range []struct {
		name  string
		at    uint64
		bytes string
		want  string
	}{
		{"length", info.Off, "\xff\xff\x00\x00", "it is cut off"},
		{"64 bits", info.Off, "\xff\xff\xff\xff", "DWARF of 64 bits"},
		{"version", info.Off + 4, "\x09\x00", "it is DWARF 9; 2 to 5 are read"},
		{"abbreviations", f.Find(".debug_abbrev")[0].Off + 2, strings.Repeat("\x01", 300), "more than 128 attributes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			damaged := bytes.Clone(content)
			copy(damaged[test.at:], test.bytes)
			if _, err := readAll(t, damaged); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{recorded + "parent.o", "../callgraph/testdata/code/plain.o"} {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		maps, _ := readAll(t, content)
		check(t, maps)
	})
}

// The sections by themselves, so that what damages the file's layout does not hide them.
func FuzzSections(f *testing.F) {
	content, err := os.ReadFile(recorded + "parent.o")
	if err != nil {
		f.Fatal(err)
	}
	r := bytes.NewReader(content)
	file, err := object.Open(r, int64(len(content)), "object")
	if err != nil {
		f.Fatal(err)
	}
	s, err := readSections(r, file)
	if err != nil {
		f.Fatal(err)
	}
	functions := make(map[uint64]*object.Function)
	var wanted []uint64
	for i := range file.Functions() {
		fn := &file.Functions()[i]
		functions[AddressOf(file, fn.Start)] = fn
		wanted = append(wanted, AddressOf(file, fn.Start))
	}
	slices.Sort(wanted)
	f.Add(s.info, s.abbrev, s.str, s.line, s.lineStr, s.loclists, s.rnglists)
	f.Fuzz(func(t *testing.T, info, abbrev, str, line, lineStr, lists, ranges []byte) {
		o := &reading{
			file: file, functions: functions, wanted: wanted, work: leastWork,
			sections: &sections{info: info, abbrev: abbrev, str: str, line: line, lineStr: lineStr, loclists: lists, loc: lists, rnglists: ranges, ranges: ranges},
		}
		maps, _ := o.readUnits()
		check(t, maps)
	})
}

func check(t *testing.T, maps []*Map) {
	for _, m := range maps {
		covered := Bytes(m.Covered(nil))
		for _, i := range m.InlinedFunctions() {
			if i.MarginalBytes < 0 || i.MarginalBytes > i.Bytes || i.Bytes > covered || i.OwnBytes > i.Bytes {
				t.Errorf("%s: %+v of %d bytes", m.Symbol, i, covered)
			}
		}
	}
}

func BenchmarkRead(b *testing.B) {
	content, err := os.ReadFile(recorded + "parent.o")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(content)))
	for b.Loop() {
		if _, err := readAll(b, content); err != nil {
			b.Fatal(err)
		}
	}
}
