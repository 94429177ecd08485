package frame

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/internal/lines"
)

func read(t *testing.T, text string) (frames []Frame, problems []string) {
	t.Helper()
	r := NewReader(strings.NewReader(text), "x.su")
	for r.Scan() {
		frames = append(frames, r.Frame())
	}
	for _, bad := range r.SyntaxErrors() {
		problems = append(problems, bad.Error())
	}
	if r.Err() != nil {
		t.Errorf("Err() = %v", r.Err())
	}
	return frames, problems
}

func TestReader(t *testing.T) {
	tests := []struct {
		name, row string
		want      Frame
	}{
		// gcc: OpenZFS 2.1.11, then small files of every kind
		{"gcc", "/usr/src/zfs-2.1.11/module/zfs/dmu_recv.c:2898:1:dmu_recv_stream\t232\tdynamic,bounded",
			Frame{Function: "dmu_recv_stream", File: "/usr/src/zfs-2.1.11/module/zfs/dmu_recv.c", Line: 2898, Column: 1, Bytes: 232, Kind: Bounded}},
		{"clone", "zstd.c:20384:12:ZSTD_litLengthPrice.constprop.isra\t8\tstatic",
			Frame{Function: "ZSTD_litLengthPrice.constprop.isra", File: "zstd.c", Line: 20384, Column: 12, Bytes: 8, Kind: Static}},
		{"gcc 4.7 prints a clone's number only", "ext4.c:10:2:11\t8\tstatic",
			Frame{Function: "11", File: "ext4.c", Line: 10, Column: 2, Bytes: 8, Kind: Static}},
		{"alloca", "kinds.c:9:6:al\t32\tdynamic", Frame{Function: "al", File: "kinds.c", Line: 9, Column: 6, Bytes: 32, Kind: Dynamic}},
		{"built in", "<built-in>:n::f\t32\tstatic", Frame{Function: "n::f", Bytes: 32, Kind: Static}},
		// gcc 17
		{"symbol", "example.cpp:2:5:int square(int)\t_Z6squarei\t16\tstatic",
			Frame{Function: "int square(int)", Symbol: "_Z6squarei", File: "example.cpp", Line: 2, Column: 5, Bytes: 16, Kind: Static}},
		{"no other unit calls it", "../kinds.c:9:38:odd\t../kinds.c:odd\t48\tstatic",
			Frame{Function: "odd", Symbol: "odd", File: "../kinds.c", Line: 9, Column: 38, Bytes: 48, Kind: Static}},
		{"in a header", "/inc/h.h:9:38:clone.constprop\tkinds.c:clone.constprop.0\t48\tstatic",
			Frame{Function: "clone.constprop", Symbol: "clone.constprop.0", File: "/inc/h.h", Line: 9, Column: 38, Bytes: 48, Kind: Static}},
		{"asm label", "kinds.c:18:6:labelled\t*assembler_name\t32\tstatic",
			Frame{Function: "labelled", Symbol: "assembler_name", File: "kinds.c", Line: 18, Column: 6, Bytes: 32, Kind: Static}},
		{"asm label that no other unit calls", "kinds.c:18:6:labelled\tkinds.c:*a:b\t32\tstatic",
			Frame{Function: "labelled", Symbol: "a:b", File: "kinds.c", Line: 18, Column: 6, Bytes: 32, Kind: Static}},
		{"tabs in file and title", "a\tb.c:2:5:f\ta\tb.c:f\t16\tstatic",
			Frame{Function: "f", Symbol: "f", File: "a\tb.c", Line: 2, Column: 5, Bytes: 16, Kind: Static}},
		{"symbol and tab in file", "a\tb.c:2:5:f\tf.constprop.0\t16\tstatic",
			Frame{Function: "f", Symbol: "f.constprop.0", File: "a\tb.c", Line: 2, Column: 5, Bytes: 16, Kind: Static}},
		// clang
		{"clang", "c.cpp:13:_ZN1n1D1fEi\t120\tstatic", Frame{Function: "_ZN1n1D1fEi", File: "c.cpp", Line: 13, Bytes: 120, Kind: Static}},
		{"clang, made up", "c.cpp:__clang_call_terminate\t8\tstatic", Frame{Function: "__clang_call_terminate", File: "c.cpp", Bytes: 8, Kind: Static}},
		{"clang, tab in file", "a\tb.c:2:f\t8\tstatic", Frame{Function: "f", File: "a\tb.c", Line: 2, Bytes: 8, Kind: Static}},
		{"clang, tab in an asm name", "b.c:2:f\tg\t8\tstatic", Frame{Function: "f\tg", File: "b.c", Line: 2, Bytes: 8, Kind: Static}},
		{"clang, position in file", "a:1:2:x.c:13:f\t8\tstatic", Frame{Function: "f", File: "a:1:2:x.c", Line: 13, Bytes: 8, Kind: Static}},
		// names that C++ prints
		{"lambda", "t.cc:7:27:n::lam(int)::<lambda(int)>\t64\tstatic",
			Frame{Function: "n::lam(int)::<lambda(int)>", File: "t.cc", Line: 7, Column: 27, Bytes: 64, Kind: Static}},
		{"colon as template argument", "t.cc:10:23:int f(int) [with char c = ':']\t32\tstatic",
			Frame{Function: "int f(int) [with char c = ':']", File: "t.cc", Line: 10, Column: 23, Bytes: 32, Kind: Static}},
		{"cut by gcc at its last dot", "vector.tcc:439:7:) [with _Args = {int}; ...]\t96\tstatic",
			Frame{Function: ") [with _Args = {int}; ...]", File: "vector.tcc", Line: 439, Column: 7, Bytes: 96, Kind: Static}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.want.Source = SourceSU
			frames, problems := read(t, test.row+"\n")
			if diff := cmp.Diff([]Frame{test.want}, frames); diff != "" || problems != nil {
				t.Errorf("problems %q, frames (-want +got):\n%s", problems, diff)
			}
		})
	}
}

func TestReaderReportsBadLinesAndReadsTheRest(t *testing.T) {
	const good = "a.c:1:2:f\t8\tstatic\n"
	tests := []struct {
		name, bad string
		want      string
	}{
		{"fields", "a.c:1:2:g\t8", `x.su:2:1: want "file:line:col:function<TAB>bytes<TAB>kind", got 2 fields; rebuild the object`},
		{"blank", "", `x.su:2:1: want "file:line:col:function<TAB>bytes<TAB>kind", got 1 field; rebuild the object`},
		{"kind", "a.c:1:2:g\t8\tstat", `x.su:2:13: want kind "static", "dynamic" or "dynamic,bounded", got "stat"; rebuild the object`},
		{"size", "a.c:1:2:g\tx8\tstatic", `x.su:2:11: want a size in bytes from 0 to 2147483647, got "x8"; rebuild the object`},
		{"negative size", "a.c:1:2:g\t-8\tstatic", `x.su:2:11: want a size in bytes from 0 to 2147483647, got "-8"; rebuild the object`},
		{"huge size", "a.c:1:2:g\t2147483648\tstatic", `x.su:2:11: want a size in bytes from 0 to 2147483647, got "2147483648"; rebuild the object`},
		{"no function", "a.c:1:2:\t8\tstatic", `x.su:2:1: want "file:line:col:function", got "a.c:1:2:", without a function's name; rebuild the object`},
		{"long", strings.Repeat("n", lines.MaxBytes), `x.su:2:1048577: the line is longer than 1 MiB; rebuild the object`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			frames, problems := read(t, good+test.bad+"\n"+good)
			if diff := cmp.Diff([]string{test.want}, problems); diff != "" || len(frames) != 2 {
				t.Errorf("%d frames, want 2; problems (-want +got):\n%s", len(frames), diff)
			}
		})
	}
}

func TestReaderReportsTruncation(t *testing.T) {
	frames, problems := read(t, "a.c:1:2:f\t8\tstatic\na.c:3:4:g\t16\tdynamic")
	want := []string{"x.su:2:21: the file ends in the middle of the line; rebuild the object"}
	if diff := cmp.Diff(want, problems); diff != "" || len(frames) != 1 {
		t.Errorf("%d frames, want 1; problems (-want +got):\n%s", len(frames), diff)
	}
	if frames, problems := read(t, ""); frames != nil || problems != nil {
		t.Errorf("an empty file gives %v, %v, want nothing", frames, problems)
	}
}

func TestReaderGivesUpOnOtherFiles(t *testing.T) {
	r := NewReader(strings.NewReader(strings.Repeat("\x7fELF\n", 2*MaxSyntaxErrors)), "x.o")
	if r.Scan() || !errors.Is(r.Err(), ErrTooManySyntaxErrors) || len(r.SyntaxErrors()) != MaxSyntaxErrors {
		t.Errorf("Err() = %v with %d syntax errors", r.Err(), len(r.SyntaxErrors()))
	}
	r = NewReader(iotest.ErrReader(iotest.ErrTimeout), "x.su")
	if r.Scan() || !errors.Is(r.Err(), iotest.ErrTimeout) {
		t.Errorf("Err() = %v, want %v", r.Err(), iotest.ErrTimeout)
	}
}

// What gcc 12.2 writes for testdata/kinds.c, names.cc, and hostile.c under hostile names, and gcc 17 of October 2026 for the same.
func TestReaderOnGoldenFiles(t *testing.T) {
	type row struct {
		File, Function string
		Bytes          int
	}
	tests := map[string][]row{
		"kinds.su": {
			{"kinds.c", "odd", 48}, {"kinds.c", "even", 80}, {"kinds.c", "cloned.constprop", 144}, {"kinds.c", "fixed", 320},
			{"kinds.c", "vla", 16}, {"kinds.c", "pushed", 352}, {"kinds.c", "parity", 16}, {"kinds.c", "indirect", 16},
			{"kinds.c", "leaf", 8}, {"kinds.c", "weak_hook", 64}, {"kinds.c", "call_weak", 16}, {"kinds.c", "call_alias", 16},
			{"kinds.c", "labelled", 32}, {"kinds.c", "call_weak_elsewhere", 16}, {"kinds.c", "use_one", 16},
			{"kinds.c", "use_two", 16}, {"kinds.c", "tail", 8}, {"kinds.c", "divide", 16},
		},
		"names.su": {
			{"names.cc", "n::lam(int)::<lambda(int)>", 64},
			{"names.cc", "int n::{anonymous}::anon(int)", 32},
			{"names.cc", "T n::Box<T, N>::get(int) const [with T = int; int N = 64]", 144},
			{"names.cc", "n::Box<T, N>::operator bool() const [with T = int; int N = 64]", 32},
			{"names.cc", "int n::lam(int)", 64},
			{"names.cc", "int n::comdat(int)", 32},
			{"names.cc", "int n::use(int)", 16},
			{"names.cc", `int n::chr(int) [with char c = '\012']`, 32},
			{"names.cc", `int n::chr(int) [with char c = '\']`, 32},
			{"names.cc", `int n::chr(int) [with char c = ':']`, 32},
		},
		"hostile.su": {
			{"a:b/f:1:2:x.c", "st", 80}, {"a:b/f:1:2:x.c", "pub", 16}, {`quo"te.c`, "st", 80}, {`quo"te.c`, "pub", 16},
			{"ta\tb.c", "st", 80}, {"ta\tb.c", "pub", 16}, {`back\name.c`, "st", 80}, {`back\name.c`, "pub", 16},
			{"sp ace é.c", "st", 80}, {"sp ace é.c", "pub", 16},
		},
	}
	for name, want := range maps.Clone(tests) {
		tests["gcc17/"+name] = slices.Clone(want)
	}
	tests["gcc17/names.su"][4].Bytes = 48
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			frames, problems := read(t, string(text))
			var got []row
			for _, f := range frames {
				got = append(got, row{f.File, f.Function, f.Bytes})
			}
			if diff := cmp.Diff(want, got); diff != "" || problems != nil {
				t.Errorf("problems %q, rows (-want +got):\n%s", problems, diff)
			}
		})
	}
}

// The titles that gcc 17 writes are symbols behind their source, or told by asm.
func TestSymbolsOnGoldenFiles(t *testing.T) {
	want := map[string]string{
		"odd": "odd", "cloned.constprop": "cloned.constprop.0", "fixed": "fixed", "weak_hook": "weak_hook", "labelled": "assembler_name",
		"int n::{anonymous}::anon(int)": "_ZN1n12_GLOBAL__N_1L4anonEi.constprop.0", "int n::use(int)": "_ZN1n3useEi",
		"n::lam(int)::<lambda(int)>": "_ZZN1n3lamEiENKUliE_clEi", "st": "st", "pub": "pub",
	}
	found := 0
	for _, name := range []string{"kinds.su", "names.su", "hostile.su"} {
		text, err := os.ReadFile(filepath.Join("testdata/gcc17", name))
		if err != nil {
			t.Fatal(err)
		}
		frames, _ := read(t, string(text))
		for _, f := range frames {
			if symbol, ok := want[f.Function]; ok {
				found++
				if f.Symbol != symbol {
					t.Errorf("%s: %s is %q, want %q", name, f.Function, f.Symbol, symbol)
				}
			}
		}
	}
	if found != 18 {
		t.Errorf("%d functions were looked at, want 18", found)
	}
}

// The gcc of this machine, whatever its version, under file names that the format does not escape.
func TestReaderOnGCC(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("NOT TESTED against a real compiler: no gcc here")
	}
	source, err := os.ReadFile("testdata/hostile.c")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plain.c", "f:1:2:x.c", `quo"te.c`, "ta\tb.c", `back\name.c`, "sp ace é.c"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, name), source, 0o666); err != nil {
				t.Fatal(err)
			}
			compile := exec.Command(gcc, "-O2", "-fstack-usage", "-c", name, "-o", "x.o")
			compile.Dir = dir
			if out, err := compile.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			text, err := os.ReadFile(filepath.Join(dir, "x.su"))
			if err != nil {
				t.Fatal(err)
			}
			frames, problems := read(t, string(text))
			var got []string
			for _, f := range frames {
				got = append(got, f.File+" "+f.Function)
			}
			if diff := cmp.Diff([]string{name + " st", name + " pub"}, got); diff != "" || problems != nil {
				t.Errorf("problems %q, functions (-want +got):\n%s", problems, diff)
			}
		})
	}
}

func FuzzReader(f *testing.F) {
	golden, err := filepath.Glob("testdata/*.su")
	if err == nil {
		var recent []string
		recent, err = filepath.Glob("testdata/gcc17/*.su")
		golden = append(golden, recent...)
	}
	if err != nil || len(golden) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range golden {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add("example.cpp:2:5:int square(int)\t_Z6squarei\t16\tstatic\nc.cpp:__clang_call_terminate\t8\tstatic\na.c:1:f\t8\tdynamic")
	f.Fuzz(func(t *testing.T, text string) {
		r := NewReader(strings.NewReader(text), "x.su")
		rows := 0
		for r.Scan() {
			rows++
			if got := r.Frame(); got.Function == "" || got.Bytes < 0 || got.Bytes > MaxBytes || got.Line < 0 || got.Column < 0 {
				t.Errorf("frame %+v", got)
			}
		}
		want := strings.Count(text, "\n")
		if text != "" && !strings.HasSuffix(text, "\n") {
			want++
		}
		if got := rows + len(r.SyntaxErrors()); r.Err() == nil && got != want {
			t.Errorf("%d rows and %d syntax errors of %d lines", rows, len(r.SyntaxErrors()), want)
		}
	})
}
