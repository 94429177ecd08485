package stackcheck

import (
	"testing"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

func TestInferRoot(t *testing.T) {
	of := func(name string, files ...string) compiled {
		o := compiled{name: name}
		for _, file := range files {
			o.frames = append(o.frames, frame.Frame{File: file})
		}
		o.root, o.votes = o.vote()
		return o
	}
	tests := []struct {
		name    string
		objects []compiled
		want    string
	}{
		{"no objects", nil, ""},
		{"header first", []compiled{of("m/x.o", "/inc/h.h", "/src/m/x.c")}, "/src"},
		{"other extension", []compiled{of("m/x.o", "/src/m/x.S.cc"), of("m/y.o", "/src/m/y.cpp")}, "/src"},
		{"source reached from a sibling, as OpenZFS does", []compiled{of("m/os/x.o", "/src/m/zfs/../os/x.c")}, "/src"},
		{"majority", []compiled{of("x.o", "/a/x.c"), of("y.o", "/b/y.c"), of("z.o", "/b/z.c")}, "/b"},
		{"tie", []compiled{of("x.o", "/b/x.c"), of("y.o", "/a/y.c")}, "/a"},
		{"relative", []compiled{of("m/x.o", "m/x.c"), of("m/y.o", "./m/y.c")}, ""},
		{"source elsewhere", []compiled{of("m/x.o", "../src/m/x.c")}, "../src"},
		{"no match", []compiled{of("m/x.o", "/src/other.c"), of("m/yx.o")}, ""},
		{"part of a name is no match", []compiled{of("x.o", "/src/prefix.c"), of("fix.o", "/src/prefix.c")}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := inferRoot(test.objects); got != test.want {
				t.Errorf("root %q, want %q", got, test.want)
			}
		})
	}
}

func TestRelativeTo(t *testing.T) {
	relative := relativeTo("/usr/src/zfs")
	for file, want := range map[string]string{
		"/usr/src/zfs/module/zfs/arc.c":                 "module/zfs/arc.c",
		"/usr/src/zfs/module/zfs/../os/linux/zfs/acl.c": "module/os/linux/zfs/acl.c",
		"/usr/src/zfs-kmod/x.c":                         "/usr/src/zfs-kmod/x.c",
		"x.c":                                           "x.c",
		"":                                              "",
	} {
		for range 2 {
			if got := relative(file); got != want {
				t.Errorf("relative(%q) = %q, want %q", file, got, want)
			}
		}
	}
}
