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
		derived, err := FromCode(f, returnsNever)
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
	table, err := FromCode(f, returnsNever)
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
		{"popped too much", "\x5b\x5b\x5b\xc3", 8, false},
	} {
		if bytes, whole := follow(t, []byte(test.code)); bytes != test.bytes || whole != test.whole {
			t.Errorf("%s: %d bytes, all %v; want %d, %v", test.name, bytes, whole, test.bytes, test.whole)
		}
	}
}

// modulesEnv names a directory of modules that have ORC, such as those of a kernel of Debian.
const modulesEnv = "KMODAUDIT_MODULES"

// What is followed in the code of all modules of a kernel is what objtool found, but for one function in a thousand.
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
		derived, codeErr := FromCode(f, returnsNever)
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
	if functions == 0 || differ > functions/1000 {
		t.Errorf("of %d functions, %d have another size by code", functions, differ)
	}
}
