package orc

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

func returnsNever(symbol string) bool { return symbol == "__stack_chk_fail" }

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
