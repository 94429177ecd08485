package stacksizes

import (
	"bytes"
	"debug/elf"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

const testdata = "../../../testdata/small-module/"

// objects are a compiled file, and a module that was linked from two.
var objects = []string{"clang/frames.o", "clang/small.ko"}

func content(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(testdata + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func open(data []byte) (*object.File, error) {
	return object.Open(bytes.NewReader(data), int64(len(data)), "x.o")
}

// What clang 14 tells in .su files of the same objects, and the return address.
func TestSizes(t *testing.T) {
	of := map[string]int{
		"fixed": 320, "realigned": 192, "cloned": 144, "local": 64, "init_module": 32, "use_cloned": 32,
		"push_in_assembly": 16, "pushed": 16, "use_local": 16, "leaf": 8,
	}
	for _, name := range objects {
		t.Run(name, func(t *testing.T) {
			f, err := open(content(t, name))
			if err != nil {
				t.Fatal(err)
			}
			sizes, err := Sizes(f)
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[string]int)
			for i, s := range sizes {
				if s.Source == "" { // variable
					continue
				}
				if s.Kind != frame.Static || s.AddedBytes != 8 || s.Symbol != f.Functions()[i].Symbol || s.Source != frame.SourceStackSizes {
					t.Errorf("frame %+v", s)
				}
				if s.File == "other.c" || s.Function == "use_other_local" {
					continue
				}
				got[s.Function] = s.Bytes
			}
			if diff := cmp.Diff(of, got); diff != "" {
				t.Errorf("sizes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSizesOfAnotherMachine(t *testing.T) {
	f, err := open(content(t, objects[0]))
	if err != nil {
		t.Fatal(err)
	}
	f.Machine = elf.EM_AARCH64
	sizes, err := Sizes(f)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sizes {
		if s.AddedBytes != 0 {
			t.Errorf("a call pushes nothing there: %+v", s)
		}
	}
}

func TestSizesDamaged(t *testing.T) {
	tests := []struct {
		name   string
		damage func(f *object.File, data []byte)
		want   string
	}{
		{"cut", func(f *object.File, _ []byte) { f.Find(sectionName)[0].Size-- }, "the section ends in the middle of an entry"},
		{"size", func(f *object.File, data []byte) {
			at := f.Find(sectionName)[0].Off
			copy(data[at+addressBytes:], bytes.Repeat([]byte{0xff}, 8))
		}, "x.o: section .stack_sizes: byte 8: want a size in bytes from 0 to 2147483647 as ULEB128"},
		{"relocations", func(f *object.File, _ []byte) { f.Find(".rela" + sectionName)[0].Size = 0 }, "x.o: section .stack_sizes: byte 0: no relocation tells the function"},
		{"address", func(f *object.File, data []byte) { data[f.Find(".rela" + sectionName)[0].Off+16]++ }, "x.o: section .stack_sizes: byte 0: no function begins at"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			data := content(t, objects[0])
			f, err := open(data)
			if err != nil {
				t.Fatal(err)
			}
			test.damage(f, data)
			sizes, err := Sizes(f)
			if err == nil || !strings.Contains(err.Error(), test.want) || len(sizes) != len(f.Functions()) {
				t.Errorf("%d sizes, error %v, want %q", len(sizes), err, test.want)
			}
		})
	}
	f, err := open(content(t, "gcc/small.ko"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Sizes(f); !errors.Is(err, ErrNone) {
		t.Errorf("an object without sizes gives %v", err)
	}
}

func TestULEB128(t *testing.T) {
	for text, want := range map[string][2]int{
		"\x00": {0, 1}, "\x7f": {127, 1}, "\x80\x01": {128, 2}, "\xb8\x02rest": {312, 2}, "": {0, 0}, "\x80": {0, 0},
		"\xff\xff\xff\xff\x0f": {0, 0}, "\x80\x80\x80\x80\x80\x00": {0, 0},
	} {
		if value, n := uleb128([]byte(text)); value != want[0] || n != want[1] {
			t.Errorf("uleb128(%q) = %d, %d; want %d, %d", text, value, n, want[0], want[1])
		}
	}
}

func FuzzSizes(f *testing.F) {
	for _, name := range objects {
		f.Add(content(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := open(data)
		if err != nil {
			return
		}
		sizes, _ := Sizes(file)
		for i, s := range sizes {
			if s.Bytes < 0 || s.Bytes > frame.MaxBytes {
				t.Errorf("frame %d: %+v", i, s)
			}
		}
	})
}
