package headerinstall

import (
	"path"
	"path/filepath"
	"strings"
	"testing"
)

func TestDestinationOf(t *testing.T) {
	tests := []struct {
		source string
		strip  int
		want   string
		reason Reason
	}{
		{source: "./zfs/include/sys/fm/fs/zfs.h", strip: 3, want: "sys/fm/fs/zfs.h"},
		{source: "./zfs/include/libzfs.h", strip: 3, want: "libzfs.h"},
		{source: "./zfs/include/os/linux/spl/sys/types.h", strip: 3, want: "os/linux/spl/sys/types.h"},
		{source: "zfs/include/x.h", strip: 2, want: "x.h"},
		{source: "zfs/include/sys/x.h", strip: 3, want: "x.h"},
		{source: ".//zfs///include/x.h", strip: 3, want: "x.h"},
		{source: "././zfs/include/x.h", strip: 4, want: "x.h"},
		{source: "./zfs/include/x.h", strip: 0, want: "zfs/include/x.h"},
		{source: "../zfs/include/x.h", strip: 3, want: "x.h"},
		{source: "a/b/c/d/../x.h", strip: 3, want: "x.h"},
		{source: `./zfs/include/back\slash.h`, strip: 3, want: `back\slash.h`},
		{source: "./include/x.h", strip: 3, reason: OverStripped},
		{source: "./zfs/x.h", strip: 4, reason: OverStripped},
		{source: "", strip: 0, reason: OverStripped},
		{source: "../../zfs/include/x.h", strip: 1, reason: UnsafeName},
		{source: "a/../../x.h", strip: 0, reason: UnsafeName},
		{source: "a/..", strip: 0, reason: UnsafeName},
	}
	for _, test := range tests {
		got, problem := destinationOf(test.source, test.strip)
		var reason Reason
		if problem != nil {
			reason = problem.Reason
		}
		if got != test.want || reason != test.reason {
			t.Errorf("destinationOf(%q, %d) = %q, %q; want %q, %q", test.source, test.strip, got, reason, test.want, test.reason)
		}
	}
}

func TestUnsafeName(t *testing.T) {
	tests := []struct {
		name   string
		unsafe bool
	}{
		{"sys/fm/fs/zfs.h", false},
		{"sys/ordinary name, ünïcode 文.h", false},
		{`back\slash.h`, false},
		{"quote'\".h", false},
		{"new\nline.h", true},
		{"escape\x1b[31m.h", true},
		{"delete\x7f.h", true},
		{"latin1-\xe9.h", true},
		{"bidi-\u202eh.c.h", true},
		{"line-\u2028.h", true},
		{"sys/" + tempPrefix + "x.h", true},
	}
	for _, test := range tests {
		if why := unsafeName(test.name); (why != "") != test.unsafe {
			t.Errorf("unsafeName(%q) = %q, want unsafe %v", test.name, why, test.unsafe)
		}
	}
}

func FuzzDestinationOf(f *testing.F) {
	for _, line := range strings.Fields(readTestdata(f, "headers.txt")) {
		f.Add("./zfs/"+line, 3)
	}
	f.Add("../../x/./y.h", 1)
	f.Fuzz(func(t *testing.T, source string, strip int) {
		if strip < 0 {
			t.Skip("Config refuses it")
		}
		dest, problem := destinationOf(source, strip)
		if problem != nil {
			return
		}
		if !filepath.IsLocal(dest) || path.Clean(dest) != dest || dest == "." {
			t.Errorf("destinationOf(%q, %d) = %q, not a clean relative path", source, strip, dest)
		}
	})
}
