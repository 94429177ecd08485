package kmod

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// object returns a relocatable ELF file with one section.
func object(section, content string) []byte {
	names := "\x00" + section + "\x00.shstrtab\x00"
	header := elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT),
		Ehsize: 64, Shentsize: 64, Shnum: 3, Shstrndx: 2,
	}
	header.Shoff = uint64(64 + len(content) + len(names))
	sections := []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: 64, Size: uint64(len(content))},
		{Name: uint32(len(section) + 2), Type: uint32(elf.SHT_STRTAB), Off: uint64(64 + len(content)), Size: uint64(len(names))},
	}
	var b bytes.Buffer
	must(binary.Write(&b, binary.LittleEndian, header))
	b.WriteString(content + names)
	must(binary.Write(&b, binary.LittleEndian, sections))
	return b.Bytes()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// module returns a module file as modpost leaves it.
func module(name string, depends ...string) []byte {
	return object(".modinfo", strings.Join([]string{
		"license=MIT", "version=1.2-3", "srcversion=ABC", "depends=" + strings.Join(depends, ","),
		"name=" + name, "vermagic=6.1.0-56-amd64 SMP preempt mod_unload modversions ", "",
	}, "\x00"))
}

func writeModule(t *testing.T, dir, base string, data []byte) string {
	t.Helper()
	file := filepath.Join(dir, base)
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func compressed(t *testing.T, ext string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	switch ext {
	case ".gz":
		w := gzip.NewWriter(&b)
		_, err := w.Write(data)
		must(errors.Join(err, w.Close()))
	case ".xz":
		w, err := xz.NewWriter(&b)
		must(err)
		_, err = w.Write(data)
		must(errors.Join(err, w.Close()))
	case ".zst":
		w, err := zstd.NewWriter(&b)
		must(err)
		_, err = w.Write(data)
		must(errors.Join(err, w.Close()))
	default:
		return data
	}
	return b.Bytes()
}

func TestReadInfo(t *testing.T) {
	want := Info{
		Name: "zcommon", Depends: []string{"znvpair", "spl"}, Version: "1.2-3", SrcVersion: "ABC",
		Vermagic: "6.1.0-56-amd64 SMP preempt mod_unload modversions ",
	}
	for _, ext := range []string{"", ".gz", ".xz", ".zst"} {
		file := writeModule(t, t.TempDir(), "zcommon.ko"+ext, compressed(t, ext, module("zcommon", "znvpair", "spl")))
		got, err := ReadInfo(file)
		if err != nil {
			t.Errorf("%s: %v", ext, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", ext, diff)
		}
	}
}

func TestReadInfoOfAnOldKernel(t *testing.T) {
	file := writeModule(t, t.TempDir(), "snd-hda-intel.ko", object(".modinfo", "depends=\x00"))
	got, err := ReadInfo(file)
	if err != nil || got.Name != "snd_hda_intel" || len(got.Depends) != 0 {
		t.Errorf("ReadInfo = %+v, %v; want the name from the file, no dependencies", got, err)
	}
}

func TestReadInfoOfNoModule(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{
		"text.ko":     []byte("not an ELF file"),
		"empty.ko":    nil,
		"object.ko":   object(".text", "code"),
		"damaged.ko":  module("zfs")[:80],
		"damaged.xz":  []byte("not xz"),
		"damaged.zst": []byte("not zstd"),
	} {
		file := writeModule(t, dir, name, data)
		if _, err := ReadInfo(file); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: error %v, want one that names the file", name, err)
		}
	}
	if _, err := ReadInfo(filepath.Join(dir, "none.ko")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestLoadOrder(t *testing.T) {
	dir := t.TempDir()
	// The nine modules of OpenZFS 2.1 and their depends=, in the order of their file names.
	var files []string
	for _, m := range []struct {
		name    string
		depends []string
	}{
		{"icp", []string{"spl", "zcommon"}}, {"spl", nil}, {"zavl", []string{"spl"}},
		{"zcommon", []string{"znvpair", "spl"}},
		{"zfs", []string{"spl", "icp", "zavl", "znvpair", "zcommon", "zlua", "zzstd", "zunicode"}},
		{"zlua", nil}, {"znvpair", []string{"spl"}}, {"zunicode", nil}, {"zzstd", []string{"spl"}},
	} {
		files = append(files, writeModule(t, dir, m.name+".ko", module(m.name, m.depends...)))
	}
	order, err := LoadOrder(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range order {
		got = append(got, m.Name)
	}
	want := []string{"spl", "znvpair", "zcommon", "icp", "zavl", "zlua", "zzstd", "zunicode", "zfs"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestLoadOrderTakesFromTheKernel(t *testing.T) {
	dir := t.TempDir()
	zfs := writeModule(t, dir, "zfs.ko", module("zfs", "zlib_deflate"))
	zlib := writeModule(t, dir, "zlib_deflate.ko.xz", compressed(t, ".xz", module("zlib_deflate")))
	order, err := LoadOrder([]string{zfs}, func(name string) (string, bool) { return zlib, name == "zlib_deflate" })
	if err != nil {
		t.Fatal(err)
	}
	if len(order) != 2 || order[0].File != zlib || order[1].File != zfs {
		t.Errorf("order = %+v", order)
	}
}

func TestLoadOrderErrors(t *testing.T) {
	dir := t.TempDir()
	a := writeModule(t, dir, "a.ko", module("a", "b"))
	b := writeModule(t, dir, "b.ko", module("b", "a"))
	second := writeModule(t, dir, "a2.ko", module("a"))
	for _, test := range []struct {
		name  string
		files []string
		want  string
	}{
		{"missing", []string{a}, "nothing provides b (a -> b)"},
		{"cycle", []string{a, b}, "depend on each other: a -> b -> a"},
		{"twice", []string{a, second}, "both called a"},
	} {
		if _, err := LoadOrder(test.files, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}

func FuzzParseInfo(f *testing.F) {
	f.Add(module("zfs", "spl", "icp"))
	f.Add(object(".text", "code"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if info, err := parseInfo(data); err != nil && info.Name != "" {
			t.Errorf("an error came with a name: %+v, %v", info, err)
		}
	})
}

// countedReads counts how often it is asked.
type countedReads struct {
	io.Reader
	reads int
}

func (c *countedReads) Read(b []byte) (int, error) {
	c.reads++
	return c.Reader.Read(b)
}

// A decoder that reads byte by byte does not ask the file for each.
func TestExpandReadsMuchAtOnce(t *testing.T) {
	data := make([]byte, 100_000)
	for i := range data {
		data[i] = byte(i * i >> 8)
	}
	for _, ext := range []string{".xz", ".gz", ".zst"} {
		packed := &countedReads{Reader: bytes.NewReader(compressed(t, ext, data))}
		r, err := Expand(packed, ext, 8<<20)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes and error %v, want %d bytes", ext, len(got), err, len(data))
		}
		if packed.reads > 50 {
			t.Errorf("%s: %d reads of the file", ext, packed.reads)
		}
	}
}
