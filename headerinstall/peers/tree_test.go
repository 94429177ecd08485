package main

import (
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

var linuxHeaders = fstest.MapFS{
	"Makefile":       {Data: []byte("all:\n")},
	"linux/list.h":   {Data: []byte("#define LIST 1\n")},
	"linux/empty.h":  {},
	"linux/link.h":   {Data: []byte("list.h"), Mode: fs.ModeSymlink},
	"asm/types.h":    {Data: []byte("#define T\n")},
	"asm/it's/one.h": {Data: []byte("\n")},
}

func TestHeaderNames(t *testing.T) {
	got, err := headerNames(linuxHeaders)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"asm/it's/one.h", "asm/types.h", "linux/list.h"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestScaled(t *testing.T) {
	names := []string{"a.h", "b/c.h"}
	once := []copied{{"a.h", "a.h"}, {"b/c.h", "b/c.h"}}
	twice := []copied{{"a.h", "k0/a.h"}, {"b/c.h", "k0/b/c.h"}, {"a.h", "k1/a.h"}, {"b/c.h", "k1/b/c.h"}}
	for n, want := range map[int][]copied{1: once[:1], 2: once, 4: twice} {
		if diff := cmp.Diff(want, scaled(names, n), cmp.AllowUnexported(copied{})); diff != "" {
			t.Errorf("%d headers (-want +got):\n%s", n, diff)
		}
	}
	for n, want := range map[int]int{3: 4, 5: 6, 30_000: 30_000} { // whole copies, the nearest
		if got := len(scaled(names, n)); got != want {
			t.Errorf("%d headers became %d, want %d", n, got, want)
		}
	}
}

func TestWriteTree(t *testing.T) {
	dir := t.TempDir()
	tree := scaled([]string{"asm/types.h", "linux/list.h"}, 4)
	got, err := writeTree(dir, linuxHeaders, tree)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(extent{Headers: 4, Directories: 4, Bytes: 2 * (10 + 15), Largest: 15}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, c := range tree {
		content, err := fs.ReadFile(os.DirFS(dir), c.name)
		if err != nil {
			t.Fatal(err)
		}
		if string(content) != string(linuxHeaders[c.from].Data) {
			t.Errorf("%s has %q", c.name, content)
		}
		if info, err := fs.Stat(os.DirFS(dir), c.name); err != nil || !info.ModTime().Equal(made) {
			t.Errorf("%s was made at %v: %v", c.name, info.ModTime(), err)
		}
	}
	if n, err := countFiles(dir); n != 4 || err != nil {
		t.Errorf("there are %d files: %v", n, err)
	}
}
