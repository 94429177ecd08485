package orc

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/kmod"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// returnsNever knows those that modules call most; package callgraph has all, and is above this one.
func returnsNever(symbol string) bool {
	return slices.Contains([]string{"__stack_chk_fail", "__fortify_panic", "fortify_panic", "panic", "do_exit", "kthread_complete_and_exit",
		"__module_put_and_kthread_exit", "usercopy_abort"}, symbol)
}

// What is followed in code is what objtool found there. Of a frame that is rounded down, and of one that grows, both tell the least.
func TestFromCode(t *testing.T) {
	for _, name := range modules {
		f, table := read(t, name)
		derived, err := FromCode(f, (*Table)(nil).Untold(f), returnsNever)
		if err != nil {
			t.Fatal(err)
		}
		want, got := table.Sizes(f), derived.Sizes(f)
		for i := range want {
			if want[i].Source == "" { // which objtool was kept from
				continue
			}
			want[i].Source = frame.SourceCode
			if diff := cmp.Diff(want[i], got[i]); diff != "" {
				t.Errorf("%s: %s (-ORC +code):\n%s", name, want[i].Function, diff)
			}
		}
		for _, p := range calls(t, f) {
			row, _ := table.At(p)
			told, _ := derived.At(p)
			if row.Base == SP && (told.Base != SP || told.Offset != row.Offset) {
				t.Errorf("%s: at %+v ORC has %d bytes, code %d", name, p, row.Offset, told.Offset)
			}
		}
	}
}

// follow returns how deep code takes the stack, and whether that is all.
func follow(t *testing.T, code []byte) (deepest int, whole bool) {
	t.Helper()
	data := content(t, modules[0])
	f, err := open(data)
	if err != nil {
		t.Fatal(err)
	}
	text := f.Find(".text")[0]
	copy(data[text.Off:], slices.Concat(code, []byte(strings.Repeat("\xcc", 64))))
	f, err = open(data)
	if err != nil {
		t.Fatal(err)
	}
	table, err := FromCode(f, (*Table)(nil).Untold(f), returnsNever)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range table.Sizes(f) {
		if start := f.Functions()[i].Start; start.Section == text.Index && start.Offset == 0 {
			return s.Bytes, s.Kind == frame.Static
		}
	}
	t.Fatal("no function begins the code")
	return 0, false
}

func TestFollow(t *testing.T) {
	for _, test := range []struct {
		name  string
		code  string
		bytes int
		whole bool
	}{
		{"return", "\xc3", 8, true},
		{"frame pointer, and back by leave", "\x55\x48\x89\xe5\x48\x83\xec\x20\xc9\xc3", 48, true},
		{"flags", "\x9c\x9d\xc3", 16, true},
		{"by a jump only", "\x74\x02\xc3\x90\x53\x5b\xc3", 16, true},
		{"behind a jump back", "\x53\x5b\x75\xfc\xc3", 16, true},
		{"a byte register that has the number of the stack pointer", "\x53\xf6\xc4\x01\x5b\xc3", 16, true},
		{"grown by what a register holds", "\x55\x48\x89\xe5\x48\x29\xc4\xc9\xc3", 16, false},
		{"jump by a table", "\x53\xff\x24\xc5\x00\x00\x00\x00", 16, false},
		{"no instruction", "\x53\x06", 16, false},
		{"behind what does not come back", "\x53\x5b\xc3\xcc\x90\x0f\x1f\x00\x0f\xb9\xcc\x0f\x0b", 16, true},
		{"code that nothing leads to", "\xc3\x53\x5b\xc3", 8, false},
		{"popped too much", "\x5b\x5b\x5b\xc3", 8, false},
	} {
		if bytes, whole := follow(t, []byte(test.code)); bytes != test.bytes || whole != test.whole {
			t.Errorf("%s: %d bytes, all %v; want %d, %v", test.name, bytes, whole, test.bytes, test.whole)
		}
	}
}

// Of what the kernel's tables change or lead to, code tells what objtool found, in a kernel as in a module.
func TestFromPatchedCode(t *testing.T) {
	for _, release := range []string{"6.1", "6.12"} {
		f, table := read(t, "patched/"+release+"/patched.ko")
		sizes := make(map[string]int)
		for _, s := range table.Sizes(f) {
			sizes[s.Symbol] = s.Bytes
		}
		if len(sizes) != 7 || sizes["replaced"] != 32 || sizes["erased"] != 32 || sizes["away"] != 24 {
			t.Errorf("%s: objtool found %v", release, sizes)
		}
		kernel, err := open(content(t, "patched/"+release+"/vmlinux"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []*object.File{f, kernel} {
			derived, err := FromCode(f, (*Table)(nil).Untold(f), returnsNever)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range derived.Sizes(f) {
				if s.Bytes != sizes[s.Symbol] || s.Kind != frame.Static {
					t.Errorf("%s, linked %v: %s has %d bytes by code, %s; ORC has %d", release, f.Linked, s.Symbol, s.Bytes, s.Kind, sizes[s.Symbol])
				}
			}
			// Within the call of 5 bytes that may become PUSHF, PUSHF, POP, POP.
			at := f.Functions()[slices.IndexFunc(f.Functions(), func(fn object.Function) bool { return fn.Symbol == "replaced" })].Start
			for offset, want := range []int16{8, 16, 24, 32, 24, 16} {
				row, _ := derived.At(object.Address{Section: at.Section, Offset: at.Offset + uint64(offset)})
				if row.Base != SP || row.Offset != want {
					t.Errorf("%s, linked %v: %d bytes into what is replaced: %+v, want %d", release, f.Linked, offset, row, want)
				}
			}
		}
	}
}

// What is replaced by entries of no known shape is said, and all other code is followed.
func TestFromCodeOfStrangePatches(t *testing.T) {
	for name, damage := range map[string]func(entry []byte){
		"longer than its place": func(entry []byte) { entry[11] = 200 },
		"of no place":           func(entry []byte) { entry[10] = 0 },
	} {
		data := content(t, "patched/6.1/patched.ko")
		f, err := open(data)
		if err != nil {
			t.Fatal(err)
		}
		damage(data[f.Find(".altinstructions")[0].Off:])
		table, err := FromCode(f, (*Table)(nil).Untold(f), returnsNever)
		if err == nil || !strings.Contains(err.Error(), "section .altinstructions: its entries are not those of Linux") {
			t.Errorf("%s: %v", name, err)
		}
		if table == nil || len(table.rows) == 0 {
			t.Errorf("%s: nothing was followed", name)
		}
	}
}

// modulesEnv names a directory of modules that have ORC, such as those of a kernel of Debian.
const modulesEnv = "KMODAUDIT_MODULES"

// What is followed in the code of all modules of a kernel is what objtool found, but for one function in five thousand.
func TestFromCodeOnModules(t *testing.T) {
	dir := os.Getenv(modulesEnv)
	if dir == "" {
		t.Skip("NOT TESTED on real modules: " + modulesEnv + " names none")
	}
	functions, differ, more := 0, 0, 0
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.Contains(entry.Name(), ".ko") {
			return err
		}
		data, err := kmod.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := open(data)
		if err != nil {
			return err
		}
		table, err := Read(f)
		if errors.Is(err, ErrNone) {
			return nil
		}
		derived, codeErr := FromCode(f, (*Table)(nil).Untold(f), returnsNever)
		if err := errors.Join(err, codeErr); err != nil {
			return err
		}
		told := table.Sizes(f)
		for i, code := range derived.Sizes(f) {
			functions++
			switch orc := told[i]; {
			case orc.Source == "" || orc.Bytes == code.Bytes:
			case orc.Kind == frame.Dynamic && code.Bytes > orc.Bytes:
				more++
			default:
				differ++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d functions; of %d code tells another size, of %d more where ORC tells the least", functions, differ, more)
	if functions == 0 || differ > functions/5000 {
		t.Errorf("of %d functions, %d have another size by code", functions, differ)
	}
}
