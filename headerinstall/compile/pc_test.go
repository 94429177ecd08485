package compile

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// libzfs has the shape of the file that OpenZFS installs.
const libzfs = `prefix=/usr
exec_prefix=${prefix}
includedir=${prefix}/include # where
libdir = ${exec_prefix}/lib

Name: libzfs
Description: costs $5 and needs ${nothing}
Version: 2.1.11
URL: https://example.org
Requires: libzfs_core >= 2.1, libuuid
Requires.private: zlib
Cflags: -I${includedir}/libzfs \
 -I ${includedir}/libspl -isystem${pcfiledir}/x
Libs: -L${libdir} -lzfs
`

func TestReadPC(t *testing.T) {
	tests := []struct {
		name, text string
		want       PC
	}{
		{"libzfs", libzfs, PC{
			Cflags:   []string{"-I/usr/include/libzfs", "-I", "/usr/include/libspl", "-isystem/usr/lib/pkgconfig/x"},
			Requires: []string{"libzfs_core", "libuuid", "zlib"}}},
		{"quotes", `Cflags: -DA="\"a b\"" '-I/a b' -DC=\$d$$e$f "" "\a"` + "\r\n", PC{Cflags: []string{`-DA="a b"`, "-I/a b", "-DC=$d$e$f", "", `\a`}}},
		{"several, the last without a newline", "Cflags: -a\nCFlags: -b", PC{Cflags: []string{"-a", "-b"}}},
		{"empty", "", PC{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ReadPC(strings.NewReader(test.text), "/usr/lib/pkgconfig/x.pc")
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("error %v, (-want +got):\n%s", err, diff)
			}
		})
	}
}

// Modules are read with what requires them, each once, also if they require one another: from beside the file, then
// from the path. Those that lie nowhere are named.
func TestOpenPC(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"stage/libzfs.pc":      "Cflags: -I/a\nRequires: libzfs_core >= 2, libuuid\nRequires.private: zlib libzfs_core",
		"stage/libzfs_core.pc": "Cflags: -I/b\nRequires: libzfs libnvpair zlib libtirpc",
		"stage/libnvpair.pc":   "Cflags: -Irelative",
		"stage/broken.pc":      "Requires: nonsense",
		"stage/nonsense.pc":    "nonsense",
		"local/libnvpair.pc":   "Cflags: -I/not/this",
		"local/libtirpc.pc":    "Cflags: -I/usr/include/tirpc\nRequires: libgssapi",
		"usr/libtirpc.pc":      "Cflags: -I/nor/this",
		"usr/libgssapi.pc":     "Cflags: -I/c",
		"usr/other.pc":         "",
	})
	path := PCPath{Sysroot: "/stage", Dirs: []string{filepath.Join(dir, "local"), filepath.Join(dir, "usr")}}
	got, err := OpenPC(filepath.Join(dir, "stage/libzfs.pc"), path)
	want := PC{
		Cflags:   []string{"-I/stage/a", "-I/stage/b", "-Irelative", "-I/usr/include/tirpc", "-I/c"},
		Requires: []string{"libuuid", "zlib"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, (-want +got):\n%s", err, diff)
	}
	for name, want := range map[string]string{"other.pc": "stage/other.pc: no such file", "broken.pc": "nonsense.pc:1: want "} {
		if _, err := OpenPC(filepath.Join(dir, "stage", name), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
}

func TestReadPCErrors(t *testing.T) {
	doubling := "a=12345678\n"
	for range 20 {
		doubling += "a=${a}${a}\n"
	}
	tests := []struct{ text, want string }{
		{"Name: x\nnonsense\n", `x.pc:2: want "variable=value" or "Field: value", got "nonsense"; correct or remove the line`},
		{"Cflags: \\\n -I${dir}\n", `x.pc:1: Cflags: variable "dir" is not defined before; define it above`},
		{"a=${b\n", `x.pc:1: a: ${b is not closed; add the }`},
		{"Cflags: 'a\n", `x.pc:1: Cflags: the quote ' is not closed; close it`},
		{"\nCflags: a\\\\", `x.pc:2: Cflags: ends in a backslash; remove it`},
		{doubling, "x.pc:15: a: the value is longer than 64 KiB with its variables replaced"},
		{strings.Repeat("#", maxPCBytes+1), "x.pc: larger than 1 MiB, this is no .pc file"},
	}
	for _, test := range tests {
		if _, err := ReadPC(strings.NewReader(test.text), "x.pc"); err == nil || err.Error() != test.want {
			t.Errorf("error of %.40q:\n%v, want\n%s", test.text, err, test.want)
		}
	}
}

func TestUnder(t *testing.T) {
	p := PC{Cflags: []string{"-I/usr/include", "-I", "/a", "-isystem", "/b", "-isystem/c", "-Irelative", "-D/d", "/e", "-I"}}
	want := []string{"-I/stage/usr/include", "-I", "/stage/a", "-isystem", "/stage/b", "-isystem/stage/c", "-Irelative", "-D/d", "/e", "-I"}
	if diff := cmp.Diff(want, p.Under("/stage")); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
}

func FuzzReadPC(f *testing.F) {
	f.Add(libzfs)
	f.Add("a=1\nb=${a}$$${a\nCflags: \"x y\" 'z' \\ \\\n Requires: a >= 1")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ReadPC(strings.NewReader(text), "x.pc")
		if err != nil && !strings.HasPrefix(err.Error(), "x.pc:") {
			t.Errorf("an error without position: %v", err)
		}
		if len(p.Under("/stage")) != len(p.Cflags) {
			t.Error("a flag is lost under another root")
		}
	})
}
