package object

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReferences(t *testing.T) {
	f, err := openBytes(content(t, "../callgraph/testdata/code/plain.o"))
	if err != nil {
		t.Fatal(err)
	}
	code, err := f.ReadCode()
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string][]string)
	for i := range f.Functions() {
		fn := &f.Functions()[i]
		whole := code.References(fn, func(r Reference) {
			to := r.Target.Symbol
			if held := f.Holding(r.Target.Address); to == "" && held != nil {
				to = held.Symbol
			}
			got[fn.Symbol] = append(got[fn.Symbol], fmt.Sprintf("+%#x %d %s", r.At.Offset-fn.Start.Offset, r.Kind, to))
		})
		if !whole {
			t.Errorf("%s is not read to its end", fn.Symbol)
		}
	}
	want := map[string][]string{
		"my_open": {fmt.Sprintf("+0x4 %d helper", Call)}, "thread": {fmt.Sprintf("+0x0 %d helper", Jump)}, // the local function has no relocation
		"by_tail_pointer": {fmt.Sprintf("+0x0 %d ", JumpPointer)},
	}
	for function := range got {
		if want[function] == nil {
			delete(got, function)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
}

func TestFunctionPointers(t *testing.T) {
	for _, name := range []string{"plain.o", "aarch64.o", "linked"} {
		f, err := openBytes(content(t, "../callgraph/testdata/code/"+name))
		if err != nil {
			t.Fatal(err)
		}
		pointers, err := f.FunctionPointers()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range pointers {
			got = append(got, fmt.Sprintf("%s+%d %s", p.Symbol, p.Offset, f.Functions()[p.Function].Symbol))
		}
		if diff := cmp.Diff([]string{"my_ops+0 my_open", "my_ops+8 my_close"}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestReadCodeOfAnotherMachine(t *testing.T) {
	data := content(t, small[0])
	data[18] = 0xf3 // EM_RISCV
	f, err := openBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadCode(); !errors.Is(err, ErrMachine) {
		t.Errorf("error %v, want %v", err, ErrMachine)
	}
}

// A symbol of no section, as in a damaged file, is told by its name.
func TestReferencesOfAbsoluteSymbol(t *testing.T) {
	f, err := openBytes(content(t, "../callgraph/testdata/code/plain.o"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint32(len(f.symbols) / symbolBytes) {
		if f.names.at(f.symbol(i).Name) == "sink" {
			f.order.PutUint16(f.symbols[i*symbolBytes+6:], uint16(elf.SHN_ABS))
		}
	}
	code, err := f.ReadCode()
	if err != nil {
		t.Fatal(err)
	}
	called := 0
	for i := range f.Functions() {
		code.References(&f.Functions()[i], func(r Reference) {
			if r.Target.Symbol == "sink" {
				called++
			}
		})
	}
	if called == 0 {
		t.Error("nothing calls sink")
	}
}

func BenchmarkReferences(b *testing.B) {
	f, err := openBytes(content(b, small[0]))
	if err != nil {
		b.Fatal(err)
	}
	code, err := f.ReadCode()
	if err != nil {
		b.Fatal(err)
	}
	bytes := uint64(0)
	for _, fn := range f.Functions() {
		bytes += fn.Size
	}
	b.SetBytes(int64(bytes))
	for b.Loop() {
		code.left.Store(int64(bytes))
		for i := range f.Functions() {
			code.References(&f.Functions()[i], func(Reference) {})
		}
	}
}

// Of retpolines that lie in an array, as those of a linked kernel do, the place tells the register.
func TestThunkArray(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no gcc")
	}
	dir := t.TempDir()
	source, objectFile, linked := filepath.Join(dir, "thunks.S"), filepath.Join(dir, "thunks.o"), filepath.Join(dir, "thunks")
	text := ".text\n.globl caller\n.type caller, @function\ncaller: mov 24(%rdi), %rdx\ncall __x86_indirect_thunk_array + 64\nret\n.size caller, .-caller\n" +
		".globl __x86_indirect_thunk_array\n.type __x86_indirect_thunk_array, @function\n.balign 32\n__x86_indirect_thunk_array: .skip 512, 0xcc\n" +
		".size __x86_indirect_thunk_array, 512\n"
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"gcc", "-c", "-o", objectFile, source}, {"ld", "-Ttext", "0xffffffff81000000", "-e", "caller", "-o", linked, objectFile}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	f, err := openBytes(content(t, linked))
	if err != nil {
		t.Fatal(err)
	}
	code, err := f.ReadCode()
	if err != nil {
		t.Fatal(err)
	}
	var got []Reference
	for i := range f.Functions() {
		if fn := &f.Functions()[i]; fn.Symbol == "caller" {
			code.References(fn, func(r Reference) { got = append(got, r) })
		}
	}
	if len(got) != 1 || got[0].Kind != CallPointer || got[0].Slot != (Slot{Known: true, Offset: 24}) {
		t.Errorf("%+v, want a call of what is loaded from 24", got)
	}
}
