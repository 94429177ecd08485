package prototype

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// Prototypes of testdata/pointers.c.
const (
	open  = "i32(struct spa*,char*)"
	close = "void(struct spa*)"
	task  = "i32(struct spa*,u64)"
)

var called = map[string][]string{
	"by_member": {open}, "by_tail": {close}, "by_embedded": {open}, "by_array": {task}, "by_index": {task}, "by_nested": {"i64()"}, "by_flexible": {open},
	"by_parameter": {"i32(void*,u64)"}, "by_typedef": {task}, "by_global": {"void(char,i32)"}, "by_table": {open}, "by_extern": {open},
	"by_extern_pointer": {task}, "by_variable": {open}, "by_result": {open}, "by_result_of_pointer": {"struct ops*(struct ops*)", open},
	"by_spilled": {task}, "by_list": {open}, "by_either": {open}, "by_union": {close}, "by_variadic": {"i32(char*,...)"}, "by_large": {task}, "by_pair": {"i32(i64)"},
	"by_stack": {task, "i64()"}, "by_changed": {open}, "by_cast": {task},
}

func TestRead(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc")
	}
	for _, flags := range []string{
		"-O2", "-Os", "-O0", "-O1 -fno-omit-frame-pointer", "-O2 -gdwarf-4", "-O3 -fno-inline", "-O2 -fno-pie -pg -mfentry",
		"-O2 -mindirect-branch=thunk-extern -mindirect-branch-register -mcmodel=kernel -fno-pic -fno-pie -mno-red-zone",
	} {
		t.Run(flags, func(t *testing.T) {
			output := filepath.Join(t.TempDir(), "pointers.o")
			args := append(strings.Fields(flags), "-g", "-c", "-Wno-all", "-w", "-o", output, "testdata/pointers.c")
			if out, err := exec.CommandContext(t.Context(), gcc, args...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			got, want := readCalled(t, output, nil), maps.Clone(called)
			switch flags {
			case "-O0": // which adds where a member lies to an index
				for _, name := range []string{"by_flexible", "by_index", "by_table"} {
					delete(want, name)
				}
			case "-Os": // which stores the argument before it is the variable
				delete(want, "by_cast")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("called (-want +got):\n%s", diff)
			}
		})
	}
}

// readCalled returns the prototypes of the pointers that each function of an object calls, in the order of the code.
func readCalled(t *testing.T, name string, kernel *Kernel) map[string][]string {
	t.Helper()
	p, err := readFile(t, name, kernel)
	if err != nil {
		t.Fatal(err)
	}
	var order []object.Address
	for at := range p.Pointers {
		order = append(order, at)
	}
	slices.SortFunc(order, object.Address.Compare)
	got := map[string][]string{}
	for _, at := range order {
		fn := p.file.Holding(at)
		got[fn.Symbol] = append(got[fn.Symbol], p.Pointers[at])
	}
	return got
}

// read is what was read of an object.
type read struct {
	*Prototypes
	file *object.File
}

func readFile(t *testing.T, name string, kernel *Kernel) (read, error) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := object.Open(bytes.NewReader(data), int64(len(data)), name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Read(bytes.NewReader(data), f, kernel)
	return read{p, f}, err
}

// BTF tells of no variables but those of a processor, and of no functions of other modules.
var notInBTF = []string{"by_global", "by_table", "by_extern", "by_extern_pointer", "by_variable", "by_result", "by_changed", "by_cast"}

func TestReadBTF(t *testing.T) {
	want := maps.Clone(called)
	for _, name := range notInBTF {
		delete(want, name)
	}
	data, err := os.ReadFile("testdata/btf-kernel")
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := ReadKernel(data)
	if err != nil {
		t.Fatal(err)
	}
	for name, kernel := range map[string]*Kernel{"btf.o": nil, "btf-module.o": kernel} {
		if diff := cmp.Diff(want, readCalled(t, filepath.Join("testdata", name), kernel)); diff != "" {
			t.Errorf("%s: called (-want +got):\n%s", name, diff)
		}
	}
}

func TestReadWithoutTypes(t *testing.T) {
	for name, want := range map[string]error{
		"testdata/btf-module.o":                    ErrKernelTypes,
		"../../testdata/small-module/gcc/small.ko": ErrNone,
	} {
		_, err := readFile(t, name, nil)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	if _, err := ReadKernel([]byte("no types")); err == nil {
		t.Error("what is no BTF was read")
	}
}

// The prototypes of functions are those that their pointers have, wherever they are told.
func TestPrototypesOfFunctions(t *testing.T) {
	p, err := readFile(t, "testdata/btf.o", nil)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, text := range p.Functions {
		all[text] = true
	}
	for _, want := range []string{"i32(i32(struct spa*,u64)*,struct spa*)", "i32(i32(void*,u64)*,void*)", "i32(struct {24},i32(struct spa*,u64)*,struct spa*)", "i32()", close} {
		if !all[want] {
			t.Errorf("no function is %s: %q", want, p.Functions)
		}
	}
}

// Damaged objects give errors or less than there was, and end.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"testdata/btf.o", "testdata/btf-module.o"} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	if gcc, err := exec.LookPath("gcc"); err == nil {
		output := filepath.Join(f.TempDir(), "small.o")
		source := filepath.Join(f.TempDir(), "small.c")
		text := "struct s { int (*f)(struct s *); struct s *n[2]; }; struct s g; int by(struct s *s) { return s->n[1]->f(s) + g.f(&g); }\n"
		if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
			f.Fatal(err)
		}
		if out, err := exec.Command(gcc, "-g", "-O2", "-c", "-o", output, source).CombinedOutput(); err != nil {
			f.Fatalf("%v\n%s", err, out)
		}
		data, err := os.ReadFile(output)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	data, err := os.ReadFile("testdata/btf-kernel")
	if err != nil {
		f.Fatal(err)
	}
	kernel, err := ReadKernel(data)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := object.Open(bytes.NewReader(data), int64(len(data)), "fuzz.o")
		if err != nil {
			return
		}
		p, err := Read(bytes.NewReader(data), o, kernel)
		if err == nil && len(p.Functions) != len(o.Functions()) {
			t.Errorf("%d prototypes of %d functions", len(p.Functions), len(o.Functions()))
		}
	})
}
