package stackcheck

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// smallModule is a module of a few functions, with what gcc, clang and objtool tell of it.
const smallModule = "../testdata/small-module"

func small(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(smallModule, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// sideBySide lists "function: source bytes..." of each function of a build, the largest first.
func sideBySide(b Build) (rows []string) {
	for _, fn := range b.Functions {
		row := fn.Frames[0].Function + ":"
		for _, f := range fn.Frames {
			row += fmt.Sprintf(" %s %d", f.Source, f.Bytes)
		}
		rows = append(rows, row)
	}
	return rows
}

// Of 14 functions that gcc compiled, ORC and .su agree on 11. The others are of the kinds that there are in OpenZFS too,
// where 6,137 of 6,169 agree (99.5 %).
func TestORCAgainstSU(t *testing.T) {
	b, err := Read(filepath.Join(smallModule, "gcc"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"fixed: su 312 ci 312 orc 312",
		"local: su 224 ci 224 orc 224",     // of other.c
		"realigned: su 200 ci 200 orc 144", // by the frame pointer: ORC knows the least, and says so
		"cloned.constprop: su 144 ci 144 orc 144",
		"in_assembly: orc 64",
		"local: su 64 ci 64 orc 64",
		"has_cold_part: orc 40",
		"pushed: su 32 ci 32 orc 32",
		"start: su 24 ci 24 orc 24",
		"use_cloned: su 24 ci 24 orc 24",
		"use_local: su 24 ci 24 orc 24",
		"use_other_local: su 24 ci 24 orc 24",
		"unchecked: code 16",                 // objtool was kept from it
		"variable: su 16 ci 16 orc 16",       // both know the least
		"leaf: su 8 ci 8 orc 8",              //
		"push_in_assembly: su 8 ci 8 orc 16", // gcc does not see what inline assembly pushes
	}
	if diff := cmp.Diff(want, sideBySide(b)); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
	if f := b.Functions[2].From(frame.SourceORC); f == nil || f.Kind != frame.Dynamic {
		t.Errorf("realigned is %+v, want it dynamic", f)
	}
	if len(b.Unsized) > 0 {
		t.Errorf("nothing tells of %v", b.Unsized)
	}
	if len(b.From(frame.SourceORC).Functions) != 15 || len(b.From(frame.SourceSU).Functions) != 13 || len(b.From(frame.SourceStackSizes).Functions) != 0 {
		t.Errorf("%d frames from ORC, %d from .su", len(b.From(frame.SourceORC).Functions), len(b.From(frame.SourceSU).Functions))
	}
}

// A module without .su is read alone, in each layout of ORC, and compressed.
func TestReadModules(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(small(t, "gcc/small.ko"))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	sorted := func(b Build) []string { return slices.Sorted(slices.Values(sideBySide(b))) }
	want := sorted(mustRead(t, filepath.Join(smallModule, "gcc", "small.ko")))
	if len(want) != 16 {
		t.Fatalf("functions %v", want)
	}
	for name, path := range map[string]string{
		"since 6.4":     filepath.Join(smallModule, "since-6.4"),
		"compressed":    write(t, map[string]string{"x/small.ko.gz": packed.String()}),
		"any name":      filepath.Join(write(t, map[string]string{"module": small(t, "gcc/small.ko")}), "module"),
		"installed too": write(t, map[string]string{"a/small.ko": small(t, "gcc/small.ko"), "b/small.ko": small(t, "gcc/small.ko")}),
	} {
		t.Run(name, func(t *testing.T) {
			b := mustRead(t, path)
			if diff := cmp.Diff(want, sorted(b)); diff != "" {
				t.Errorf("functions (-want +got):\n%s", diff)
			}
			if twice := name == "installed too"; twice != (len(b.Copies) == 1) {
				t.Errorf("copies: %v", b.Copies)
			}
		})
	}
	// Another module has functions of its own, also when they are called alike.
	b := mustRead(t, write(t, map[string]string{"a.ko": small(t, "gcc/small.ko"), "b.ko": small(t, "gcc/small.ko")}))
	if len(b.Functions) != 2*len(want) {
		t.Errorf("%d functions of two modules", len(b.Functions))
	}
}

func mustRead(t *testing.T, names ...string) Build {
	t.Helper()
	b, err := Read(names...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A module stands for the objects that it was linked from, but not for what only they tell.
func TestObjectsBesideTheirModule(t *testing.T) {
	b := mustRead(t, filepath.Join(smallModule, "clang"))
	want := []string{
		// Clang wrote 184 for realigned, and 8 for pushed and push_in_assembly: it counts neither return addresses nor what they push.
		"fixed: su 320 stack_sizes 320 code 320", "realigned: su 264 stack_sizes 264 code 208", "local: su 224 stack_sizes 224 code 224",
		"cloned: su 144 stack_sizes 144 code 144", "local: su 64 stack_sizes 64 code 64", "pushed: su 48 stack_sizes 48 code 48",
		"init_module: su 32 stack_sizes 32 code 32", "use_cloned: su 32 stack_sizes 32 code 32", "push_in_assembly: su 24 stack_sizes 24 code 24",
		"use_local: su 16 stack_sizes 16 code 16", "variable: su 16 code 16", "use_other_local: su 16 stack_sizes 16 code 16", "leaf: su 8 stack_sizes 8 code 8",
	}
	if diff := cmp.Diff(want, sideBySide(b)); diff != "" || len(b.Unsized) != 0 {
		t.Errorf("unsized %v, functions (-want +got):\n%s", b.Unsized, diff)
	}
	for _, fn := range b.From(frame.SourceStackSizes).Functions {
		if f := fn.Frames[0]; f.Object != "small.ko" {
			t.Errorf("%s comes from %s, want the module", f.Function, f.Object)
		}
	}
	b = mustRead(t, write(t, map[string]string{"small.ko": small(t, "gcc/small.ko"), "frames.o": small(t, "clang/frames.o")}))
	if got := sideBySide(b)[0]; got != "fixed: stack_sizes 320 orc 312" {
		t.Errorf("the largest function is %q", got)
	}
}

// A module without ORC has the frames that its code takes, and what is no module has none.
func TestReadModuleWithoutORC(t *testing.T) {
	without := strings.ReplaceAll(small(t, "since-7.2/small.ko"), ".orc_unwind", ".old_unwind")
	with, err := Read(write(t, map[string]string{"small.ko": small(t, "since-7.2/small.ko")}))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Read(write(t, map[string]string{"small.ko": without}))
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Functions) != len(with.Functions) || len(b.Unsized) != 0 {
		t.Fatalf("%d functions and %d without a frame, want %d and none", len(b.Functions), len(b.Unsized), len(with.Functions))
	}
	for _, fn := range b.Functions {
		if f := fn.Frames[0]; f.Source != frame.SourceCode {
			t.Errorf("%s is told by %s", f.Function, f.Source)
		}
	}
	for _, fn := range with.Functions {
		f := fn.Frames[0]
		if found := b.Lookup(f.Function); !slices.ContainsFunc(found, func(g frame.Frame) bool { return g.Bytes == f.Bytes && g.Kind == f.Kind }) {
			t.Errorf("%s has %d bytes by ORC, and %v by code", f.Function, f.Bytes, found)
		}
	}
	if _, err := Read(write(t, map[string]string{"small.o": without})); !errors.Is(err, ErrNoData) {
		t.Errorf("an object without ORC gives %v", err)
	}
}

// Code that is read for frames and for calls and lies outside of the file is told of once, and all but that is read.
func TestReadModuleWithoutCode(t *testing.T) {
	module := []byte(small(t, "gcc/small.ko"))
	f, err := object.Open(bytes.NewReader(module), int64(len(module)), "small.ko")
	if err != nil {
		t.Fatal(err)
	}
	const shoffAt, offsetAt = 40, 24 // e_shoff in Elf64_Ehdr, sh_offset in Elf64_Shdr
	text := f.Find(".text")[0]
	f.Order().PutUint64(module[f.Order().Uint64(module[shoffAt:])+uint64(text.Index)*64+offsetAt:], 1<<40)
	b, err := Read(write(t, map[string]string{"small.ko": string(module)}))
	if err == nil || strings.Count(err.Error(), "lie outside of the file") != 1 {
		t.Errorf("error %v", err)
	}
	if len(b.Functions) != 15 || len(b.Unsized) != 1 {
		t.Errorf("%d functions, and %v without a frame", len(b.Functions), b.Unsized)
	}
}

// So does a kernel, and no program.
func TestReadKernelWithoutORC(t *testing.T) {
	kernel := small(t, "patched/6.12/vmlinux")
	b, err := Read(write(t, map[string]string{"vmlinux": kernel}))
	if err != nil || len(b.Functions) != 7 || b.Functions[0].Frames[0].Source != frame.SourceCode || b.Graph == nil {
		t.Errorf("a kernel: %+v, %v", b.Functions, err)
	}
	if _, err := Read(write(t, map[string]string{"vmlinux": strings.ReplaceAll(kernel, "__ksymtab", "__program")})); !errors.Is(err, ErrNoData) {
		t.Errorf("a program: %v", err)
	}
}

// What is damaged is told, and the rest is read. What only looks like an object is left alone, unless it is named.
func TestReadDamagedObjects(t *testing.T) {
	whole := small(t, "gcc/small.ko")
	dir := write(t, map[string]string{
		"cut.ko": whole[:len(whole)/2], "good.ko": whole, "empty.ko": "", "bad.ko.xz": "no archive",
		"bitcode.o": "BC\xc0\xde", "empty.o": "", "vmlinux-gdb.py": "import gdb",
	})
	b, err := Read(dir)
	if err == nil || len(b.Functions) != 16 {
		t.Fatalf("%d functions, error %v", len(b.Functions), err)
	}
	var got []string
	for _, line := range strings.Split(err.Error(), "\n") {
		got = append(got, strings.ReplaceAll(line, dir+string(filepath.Separator), ""))
	}
	want := []string{
		"reading stack usage: expanding the kernel module bad.ko.xz: ",
		"reading stack usage: cut.ko: the section headers: ",
		"reading stack usage: empty.ko: no ELF file of 64 bits; want a directory, ",
	}
	if len(got) != len(want) {
		t.Fatalf("errors:\n%v", err)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("error %q, want %q", got[i], want[i])
		}
	}
	if _, err := Read(filepath.Join(dir, "bitcode.o")); !errors.Is(err, object.ErrNotELF) {
		t.Errorf("an object that is named gives %v", err)
	}
	booted := write(t, map[string]string{"vmlinuz-6.1": "MZ" + strings.Repeat("\x00", 0x200) + "HdrS" + strings.Repeat("\x00", 1000)})
	if _, err := Read(filepath.Join(booted, "vmlinuz-6.1")); err == nil || !strings.Contains(err.Error(), "vmlinuz-6.1: a kernel as it is booted, ") {
		t.Errorf("the image of a kernel gives %v", err)
	}
	object := mustRead(t, write(t, map[string]string{"a.o": small(t, "gcc/small.ko")})) // whose code a module may have too
	unsized := []frame.Frame{{Function: "unchecked", Symbol: "unchecked", Object: "a.o"}}
	if diff := cmp.Diff(unsized, object.Unsized); diff != "" {
		t.Errorf("functions of an object that nothing tells of (-want +got):\n%s", diff)
	}
}

// A build's .su files may be in one place, and its modules in another.
func TestReadModuleBesideRecording(t *testing.T) {
	b := mustRead(t, recording, filepath.Join(smallModule, "gcc", "small.ko"))
	if len(b.Functions) != 6498+16 {
		t.Errorf("%d frames: functions of different modules were taken for each other", len(b.Functions))
	}
}

func TestCanonical(t *testing.T) {
	for symbol, want := range map[string]string{
		"f": "f", "f.constprop.0": "f.constprop", "f.constprop.0.isra.0": "f.constprop.isra", "f.constprop.isra": "f.constprop.isra",
		"f.part.0": "f.part", "f.lto_priv.0": "f", "f.lto_priv.12.cold": "f.cold", ".L": ".L", "": "", "11": "11",
	} {
		if got := canonical(symbol); got != want {
			t.Errorf("canonical(%q) = %q, want %q", symbol, got, want)
		}
	}
}

// Clones share their row's name and place; of those with different sizes none is merged with another's.
func TestClonesAreToldApart(t *testing.T) {
	row := func(bytes int) claim {
		f := frame.Frame{Function: "f.constprop", File: "cp.c", Line: 2, Column: 38, Bytes: bytes, Object: "cp.o", Source: frame.SourceSU}
		return appendClaims(nil, []frame.Frame{f})[0]
	}
	clone := func(symbol string, bytes int) claim {
		fn := object.Function{Symbol: symbol, File: "cp.c", Local: true}
		b := binary{name: "m.ko", claims: []claim{{object: "m.ko", symbol: &fn}}}
		b.tell([]frame.Frame{{Function: symbol, Bytes: bytes, Source: frame.SourceORC}})
		return b.claims[0]
	}
	var g grouping
	g.add([]claim{row(112), row(96), row(112)})
	g.add([]claim{clone("f.constprop.0", 96), clone("f.constprop.1", 120), clone("f.constprop.2", 112), clone("f.constprop.3", 8)}, byUnit, byName)
	functions, _ := g.functions()
	sortFunctions(functions)
	want := []string{
		"f.constprop: su 112 orc 112", "f.constprop: su 112 orc 120", "f.constprop: su 96 orc 96", "f.constprop.3: orc 8",
	}
	if diff := cmp.Diff(want, sideBySide(Build{Functions: functions})); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
}
