package orc

import (
	"bytes"
	"encoding/binary"
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

// fromCode follows all functions.
func fromCode(f *object.File) (*Table, error) {
	var none *Table
	return FromCode(f, none.Untold(f), returnsNever)
}

// What is followed in code is what objtool found there. Of a frame that is rounded down, and of one that grows, both tell the least.
func TestFromCode(t *testing.T) {
	for _, name := range modules {
		f, table := read(t, name)
		derived, err := fromCode(f)
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

// follow returns how deep code takes the stack in the place of a module's first, and whether that is all.
func follow(t *testing.T, module string, code []byte, filling string) (deepest int, whole bool) {
	t.Helper()
	data := content(t, module)
	f, err := open(data)
	if err != nil {
		t.Fatal(err)
	}
	text := f.Find(".text")[0]
	copy(data[text.Off:], slices.Concat(code, []byte(strings.Repeat(filling, 96/len(filling)))))
	f, err = open(data)
	if err != nil {
		t.Fatal(err)
	}
	table, err := fromCode(f)
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
		if bytes, whole := follow(t, modules[0], []byte(test.code), "\xcc"); bytes != test.bytes || whole != test.whole {
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
			derived, err := fromCode(f)
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
		table, err := fromCode(f)
		if err == nil || !strings.Contains(err.Error(), "section .altinstructions: its entries are not those of Linux") {
			t.Errorf("%s: %v", name, err)
		}
		if table == nil || len(table.rows) == 0 {
			t.Errorf("%s: nothing was followed", name)
		}
	}
}

// The frames of aarch64 are those that gcc told when it compiled them.
func TestFromCodeOfAArch64(t *testing.T) {
	f, err := open(content(t, "aarch64/frames.ko"))
	if err != nil {
		t.Fatal(err)
	}
	derived, err := FromCode(f, (*Table)(nil).Untold(f), func(symbol string) bool { return symbol == "end" })
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string]frame.Frame)
	told := frame.NewReader(bytes.NewReader(content(t, "aarch64/frames.su")), "frames.su")
	for told.Scan() {
		want[told.Frame().Function] = told.Frame()
	}
	for _, got := range derived.Sizes(f) {
		w := want[got.Symbol]
		delete(want, got.Symbol)
		if got.Symbol == "odd" { // which no kernel could run
			w.Bytes, w.Kind = mostDepth, frame.Dynamic
		}
		if got.Bytes != w.Bytes || got.Kind != w.Kind {
			t.Errorf("%s has %d bytes by code, %s; gcc told %d, %s", got.Symbol, got.Bytes, got.Kind, w.Bytes, w.Kind)
		}
	}
	if len(want) > 0 {
		t.Errorf("nothing is told of %v", want)
	}
}

// Of a function that is entered with nothing on the stack, instructions that no function above has.
func TestFollowAArch64(t *testing.T) {
	const ret = 0xd65f03c0
	for _, test := range []struct {
		name  string
		code  []uint32
		bytes int
		whole bool
	}{
		{"a register is stored before and loaded behind", []uint32{0xf81f0ffe, 0xf84107fe, ret}, 16, true},             // str x30, [sp, #-16]!; ldr x30, [sp], #16
		{"a pair of vectors", []uint32{0xadbf07e0, 0xacc107e0, ret}, 32, true},                                         // stp q0, q1, [sp, #-32]!
		{"by the frame pointer", []uint32{0xa9be7bfd, 0x910003fd, 0xcb2063ff, 0x910003bf, 0xa8c27bfd, ret}, 32, false}, // sub sp, sp, x0; mov sp, x29
		{"a number of two parts", []uint32{0xd2820010, 0xf2a00010, 0xcb3063ff, ret}, 4096, true},                       // movz x16; movk x16, lsl #16
		{"a number that is not known", []uint32{0xf9400010, 0xcb3063ff, ret}, 0, false},                                // ldr x16, [x0]
		{"rounded down", []uint32{0xd10083e9, 0x927be93f, ret}, 0, false},                                              // sub x9, sp, #32; and sp, x9, #-32
		{"to another place", []uint32{0x9100013f, ret}, 0, false},                                                      // mov sp, x9
		{"vectors that move their base", []uint32{0x4c9f7fe0, ret}, 0, false},                                          // st1 {v0.2d}, [sp], #16
		{"a table", []uint32{0xd10043ff, 0xd61f0000, 0x910043ff, ret}, 16, false},                                      // br x0
		{"a jump out by a register", []uint32{0xd10043ff, 0x910043ff, 0xd61f0200}, 16, true},                           // br x16
		{"undefined", []uint32{0xd10043ff, 0}, 16, false},                                                              // udf
		{"what fills a gap", []uint32{0xd10043ff, 0x910043ff, ret, 0xd503201f, 0xd4210000, 0}, 16, true},               // nop; brk; udf
		{"a branch", []uint32{0xb4000060, 0xd10043ff, 0x910043ff, ret}, 16, true},                                      // cbz x0, to ret
		{"authenticated", []uint32{0xd503233f, 0xa9bf7bfd, 0x910003fd, 0xa8c17bfd, 0xd50323bf, ret}, 16, true},         // paciasp; autiasp
	} {
		var code []byte
		for _, word := range test.code {
			code = binary.LittleEndian.AppendUint32(code, word)
		}
		if bytes, whole := follow(t, "aarch64/frames.ko", code, "\x00\x00\x00\x00"); bytes != test.bytes || whole != test.whole {
			t.Errorf("%s: %d bytes, all %v; want %d, %v", test.name, bytes, whole, test.bytes, test.whole)
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
		derived, codeErr := fromCode(f)
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
