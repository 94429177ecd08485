package headerinstall

import (
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// What is taken out of a table of installed headers is what was put in, and of one destination the last comes last.
func TestRecorderKeepsEverything(t *testing.T) {
	files := []File{
		{Destination: "a.h", Source: "a.h", Size: 1, Mode: 0o644, SHA256: Digest{1}},
		{Destination: "config.h", Source: "zfs_config.h.in", Size: 2, Mode: 0o600, SHA256: Digest{2}},
		{Destination: "sys/b.h", Source: "./m/include/sys/b.h", Also: []string{"./n/include/sys/b.h", "./o/b.h"}, Mode: 0o755},
		{Destination: "sys/c.h", Source: "./n/include/sys/c.h", SourceMtime: 3, Mtime: 4},
		{Destination: "sys/c.h", Source: "sys/c.h", Size: 5, Mtime: 6},
		{Destination: "sys/fs/a.h", Source: "./m/include/sys/fs/a.h"},
		{Destination: "z.h", Source: "/absolute/z.h", Mode: 0o777},
	}
	for name, order := range map[string][]int{"sorted": {0, 1, 2, 3, 4, 5, 6}, "unsorted": {2, 6, 0, 3, 5, 4, 1}} {
		var r recorder
		for _, i := range order {
			f, text := borrowed(files[i])
			r.add(&f)
			clear(text) // as of a line, when the next is read
		}
		made := r.table()
		var got []File
		for i := range made.rows {
			h := made.header(i)
			got = append(got, h.entry().File)
			if again := files[i].Destination == "sys/c.h" && files[i].Size > 0; made.rows[i].has(isAgain) != again {
				t.Errorf("%s: %q, again: %v", name, files[i].Source, !again)
			}
		}
		if diff := cmp.Diff(files, got); diff != "" {
			t.Errorf("%s (-put in +taken out):\n%s", name, diff)
		}
		var once []string
		for h := range made.headers(anyRow) {
			once = append(once, h.written())
			sizes, digests := h.versions()
			want := 1
			if h.destination() == "sys/c.h" {
				want = 2
			}
			if len(sizes) != want || len(digests) != want {
				t.Errorf("%s: %q has %d versions and %d digests, want %d", name, h.destination(), len(sizes), len(digests), want)
			}
		}
		if len(once) != len(files)-1 || strings.Contains(strings.Join(once, " "), "./n/include/sys/c.h") {
			t.Errorf("%s: headers %q", name, once)
		}
	}
}

// borrowed returns a file whose strings are in text.
func borrowed(f File) (_ File, text []byte) {
	text = make([]byte, 0, 1<<10)
	borrow := func(s string) string {
		start := len(text)
		text = append(text, s...)
		return unsafe.String(unsafe.SliceData(text[start:]), len(s))
	}
	f.Destination, f.Source, f.Also = borrow(f.Destination), borrow(f.Source), slices.Clone(f.Also)
	for i, source := range f.Also {
		f.Also[i] = borrow(source)
	}
	return f, text
}
