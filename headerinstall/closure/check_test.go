package closure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// openzfs is the bundled tree with the shape of OpenZFS 2.1.11.
const openzfs = "../../testdata/openzfs-2.1.11"

// installed returns what a rule that keeps headers of at most maxDepth directories installs of the bundled trees.
func installed(tb testing.TB, roots string, maxDepth int) fstest.MapFS {
	tb.Helper()
	tree := fstest.MapFS{}
	dirs, err := filepath.Glob(filepath.Join(openzfs, roots))
	if err != nil || len(dirs) == 0 {
		tb.Fatalf("%d directories, error %v", len(dirs), err)
	}
	for _, dir := range dirs {
		err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil || path.Ext(name) != ".h" || strings.Count(name, "/") > maxDepth {
				return err
			}
			text, err := os.ReadFile(filepath.Join(dir, name))
			tree[name] = &fstest.MapFile{Data: text}
			return err
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	return tree
}

func text(lines ...string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(strings.Join(lines, "\n") + "\n")}
}

// A directory of the kernel that has what the bundled headers include of it.
var kernel = Dir{"linux-headers", fstest.MapFS{"linux/types.h": text("typedef unsigned char u8;")}}

func mustCheck(tb testing.TB, c Config) Result {
	tb.Helper()
	r, err := Check(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// A rule that knew headers with at most one directory below include/ lost, among others, sys/fs/zfs.h and sys/fm/fs/zfs.h. No
// header includes the second, neither of these nor of OpenZFS's own, only sources do: that of a consumer names it.
func TestTwoLevelRule(t *testing.T) {
	consumer := Dir{"module", fstest.MapFS{"zfs/zfs_fm.c": text("#include <sys/spa.h>", "#ifdef _KERNEL", "#include <sys/fm/fs/zfs.h>", "#endif")}}
	r := mustCheck(t, Config{Tree: installed(t, "zfs/include", 1), System: []Dir{kernel}, Consumers: []Dir{consumer}})
	includers := map[string][]string{}
	for _, m := range r.Missing {
		for _, use := range m.Includers {
			includers[m.Include] = append(includers[m.Include], strings.Join(append([]string{use.File}, use.Conditions...), " "))
		}
	}
	want := map[string][]string{
		"os/linux/kernel/linux/blkdev_compat.h": {"sys/zvol.h"},
		"os/linux/spl/sys/debug.h":              {"sys/zfs_context.h"},
		"os/linux/spl/sys/kmem.h":               {"sys/arc.h"},
		"os/linux/spl/sys/list.h":               {"sys/zfs_context.h"},
		"os/linux/spl/sys/taskq.h":              {"sys/zio.h"},
		"os/linux/spl/sys/types.h":              {"sys/txg.h", "sys/zfs_context.h", "zfeature_common.h"},
		"os/linux/zfs/sys/zfs_context_os.h":     {"sys/zfs_context.h"},
		"sys/avl.h":                             {"sys/spa.h"},
		"sys/fm/fs/zfs.h":                       {"module/zfs/zfs_fm.c #ifdef _KERNEL"},
		"sys/fm/protocol.h":                     {"sys/zfs_ioctl.h"},
		"sys/fs/zfs.h":                          {"libzfs.h", "sys/dmu.h", "sys/zfs_ioctl.h", "zfs_prop.h"},
		"sys/nvpair.h":                          {"libzfs.h", "libzfs_core.h"},
	}
	if diff := cmp.Diff(want, includers); diff != "" {
		t.Errorf("missing headers, and who includes them (-want +got):\n%s", diff)
	}
}

func TestBundledTreeIsClosed(t *testing.T) {
	tree := installed(t, "*/include", 9)
	size := int64(0)
	for _, file := range tree {
		size += int64(len(file.Data))
	}
	got := mustCheck(t, Config{Tree: tree, System: []Dir{kernel}})
	want := Result{Headers: 51, Bytes: size, Includes: 72}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}

	got = mustCheck(t, Config{Tree: tree})
	want.Missing = []Missing{{Include: "linux/types.h", Includers: []Use{
		{File: "os/linux/kernel/linux/blkdev_compat.h", Line: 6},
		{File: "os/linux/kernel/linux/vfs_compat.h", Line: 6},
		{File: "os/linux/spl/sys/types.h", Line: 7, Conditions: []string{"#ifdef __KERNEL__"}},
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result without the kernel's headers (-want +got):\n%s", diff)
	}
}

func TestCheck(t *testing.T) {
	tree := fstest.MapFS{
		"sys/a.h": text("#pragma once", `#include "b.h"`, `#include "sys/c.h"`, `#include "../top.h"`, "#include <b.h>", "#include <stdint.h>",
			"#include_next <sys/a.h>", `#include "../../outside.h"`, "#include HERE(a)"),
		"sys/b.h":     text("int b;", "#if __has_include(<new.h>)", "#include <new.h>", "#endif", "#ifdef CONFIG_A", "#endif", "#ifdef CONFIG_B", "#endif"),
		"sys/c.h":     text("#ifndef C", "#define C", "#define CONFIG_B 1", "#ifdef CONFIG_A"),
		"top.h":       text("#include <sys>"),
		"Makefile.am": text("headers = top.h"),
	}
	got := mustCheck(t, Config{Tree: tree, System: []Dir{{"first", fstest.MapFS{}}, {"usr/include", fstest.MapFS{"stdint.h": text("")}}}})
	want := Result{
		Headers: 4, Bytes: got.Bytes, Includes: 10,
		Missing: []Missing{
			{Include: "../../outside.h", Includers: []Use{{File: "sys/a.h", Line: 8}}},
			{Include: "b.h", Includers: []Use{{File: "sys/a.h", Line: 5}}, Elsewhere: []string{"sys/b.h"}},
			{Include: "sys", Includers: []Use{{File: "top.h", Line: 1}}},
			{Include: "sys/a.h", Includers: []Use{{File: "sys/a.h", Line: 7}}},
		},
		Optional:  []Missing{{Include: "new.h", Includers: []Use{{File: "sys/b.h", Line: 3, Conditions: []string{"#if __has_include(<new.h>)"}}}}},
		Computed:  []Computed{{Use{File: "sys/a.h", Line: 9}, "HERE(a)"}},
		Unguarded: []string{"sys/b.h", "sys/c.h"},
		ConfigLeaks: []ConfigLeak{{Macro: "CONFIG_A", Uses: []Use{
			{File: "sys/b.h", Line: 5, Conditions: []string{"#ifdef CONFIG_A"}},
			{File: "sys/c.h", Line: 4, Conditions: []string{"#ifndef C", "#ifdef CONFIG_A"}},
		}}},
		Errors: []SyntaxError{
			{"sys/c.h", 1, 1, "#ifndef C is not terminated; close it with #endif"},
			{"sys/c.h", 4, 1, "#ifdef CONFIG_A is not terminated; close it with #endif"},
		},
		NotHeaders: []string{"Makefile.am"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

// What another spelling or search path would find is said; what lies outside of the tree and the system directories is not found.
func TestNamesThatAreAlmostThere(t *testing.T) {
	tree := fstest.MapFS{
		"sys/Types.h":   text("#pragma once", `#include "types.h"`, "#include <sys/types.h>", "#include <SYS/other.h>", "#include <Other.h>"),
		"sys/other.h":   text("#pragma once", `#include "/sys/other.h"`, "#include </sys/other.h>", `#include "other.h"`, "#include <sys/../sys/./other.h>"),
		"sys/sys/top.h": text(`#include "/Types.h"`),
	}
	got := mustCheck(t, Config{Tree: tree}).Missing
	want := []Missing{
		{Include: "/Types.h", Includers: []Use{{File: "sys/sys/top.h", Line: 1}}},
		{Include: "/sys/other.h", Includers: []Use{{File: "sys/other.h", Line: 2}, {File: "sys/other.h", Line: 3}}},
		{Include: "Other.h", Includers: []Use{{File: "sys/Types.h", Line: 5}}, Elsewhere: []string{"sys/other.h"}},
		{Include: "SYS/other.h", Includers: []Use{{File: "sys/Types.h", Line: 4}}, Elsewhere: []string{"sys/other.h"}},
		{Include: "sys/types.h", Includers: []Use{{File: "sys/Types.h", Line: 3}}, Elsewhere: []string{"sys/Types.h"}},
		{Include: "types.h", Includers: []Use{{File: "sys/Types.h", Line: 2}}, Elsewhere: []string{"sys/Types.h"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}

// A ".." takes a path back only from a directory that is there.
func TestPathsThroughMissingDirectories(t *testing.T) {
	tree := fstest.MapFS{
		"top.h":     text("#pragma once", "#include <sys/../sys/a.h>", "#include <none/../top.h>", "#include <top.h/../sys/a.h>"),
		"sys/a.h":   text("#pragma once", `#include "../top.h"`, `#include "none/../a.h"`, `#include "..a/../a.h"`, `#include "b/../a.h"`),
		"sys/b/b.h": text("#pragma once", "#include <sys/../std.h>", "#include <std/../std.h>", "#include <std/none/../../std.h>", "#include <x/..>"),
	}
	system := Dir{"usr/include", fstest.MapFS{"std.h": text(""), "std/int.h": text("")}}
	var got []string
	for _, m := range mustCheck(t, Config{Tree: tree, System: []Dir{system}}).Missing {
		got = append(got, m.Include)
	}
	want := []string{"..a/../a.h", "none/../a.h", "none/../top.h", "std/none/../../std.h", "sys/../std.h", "top.h/../sys/a.h", "x/.."}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
}

// What is not understood of a consumer may hide what it includes, and is said too.
func TestConsumers(t *testing.T) {
	consumer := Dir{"module", fstest.MapFS{
		"Makefile": text("all:"),
		"own.h":    text("int no_guard;", "#ifdef CONFIG_OWN", "#endif"),
		"asm.S":    text("#include <sys/asm_linkage.h>", "# it's no directive"),
		"a.c":      text(`#include "own.h"`, "#include <tree.h>", "#include <own.h>", "/* not closed", "#include <none.h>"),
		"broken.c": &fstest.MapFile{Mode: fs.ModeNamedPipe},
	}}
	got := mustCheck(t, Config{Tree: fstest.MapFS{"tree.h": text("#pragma once")}, Consumers: []Dir{consumer}})
	want := Result{Headers: 1, Bytes: 13, Includes: 4,
		Missing: []Missing{{Include: "own.h", Includers: []Use{{File: "module/a.c", Line: 3}}},
			{Include: "sys/asm_linkage.h", Includers: []Use{{File: "module/asm.S", Line: 1}}}},
		Errors:  []SyntaxError{{"module/a.c", 4, 1, "the comment is not terminated; close it with */"}},
		NotRead: []NotRead{{"module/broken.c", "it is not a regular file"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

func TestLinksInTheTree(t *testing.T) {
	for name, open := range map[string]func(string) fs.FS{"os.DirFS": os.DirFS, "DirFS": DirFS} {
		t.Run(name, func(t *testing.T) { testLinksInTheTree(t, open) })
	}
}

func testLinksInTheTree(t *testing.T, open func(string) fs.FS) {
	dir := t.TempDir()
	err := errors.Join(
		os.Mkdir(filepath.Join(dir, "real"), 0o755),
		os.WriteFile(filepath.Join(dir, "real", "a.h"), []byte("#include <link/a.h>\n#include <b.h>\n#include <link/c.h>\n"), 0o644),
		os.Symlink("real", filepath.Join(dir, "link")),
		os.Symlink("real/a.h", filepath.Join(dir, "b.h")),
		os.Symlink("nowhere", filepath.Join(dir, "c.h")),
	)
	if err != nil {
		t.Fatal(err)
	}
	got := mustCheck(t, Config{Tree: open(dir)})
	if len(got.NotRead) != 2 || got.NotRead[0].File != "c.h" || got.NotRead[1].File != "link" {
		t.Errorf("not read: %v, want the links to nothing and to a directory", got.NotRead)
	}
	got.NotRead = nil
	want := Result{Headers: 2, Bytes: got.Bytes, Includes: 6, Missing: []Missing{
		{Include: "link/c.h", Includers: []Use{{File: "b.h", Line: 3}, {File: "real/a.h", Line: 3}}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
}

func TestNothingToCheck(t *testing.T) {
	none := os.DirFS(filepath.Join(t.TempDir(), "none"))
	header := fstest.MapFS{"a.h": text("")}
	for _, c := range []Config{{Tree: none}, {Tree: fstest.MapFS{"a.c": text("")}}, {Tree: header, Consumers: []Dir{{"module", none}}},
		{Tree: DirFS(filepath.Join(t.TempDir(), "none"))}, {Tree: header, System: []Dir{{"usr/include", none}}}} {
		if _, err := Check(t.Context(), c); err == nil {
			t.Errorf("no error of %+v", c)
		}
	}
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	tree := fstest.MapFS{}
	for i := range 1000 {
		tree[fmt.Sprint(i, ".h")] = text("")
	}
	if _, err := Check(ctx, Config{Tree: tree}); !errors.Is(err, enough) {
		t.Errorf("error of a cancelled check: %v, want %v", err, enough)
	}
}

// BenchmarkCheck checks a tree of the size and shape of a distribution's kernel headers, contents made up: number of headers and
// directories, mean size, and includes, comments, conditionals and macros per header as in Debian's
// linux-headers-6.1.0-56-common, where a header has 203 lines, two includes, two conditionals and 39 macros.
func BenchmarkCheck(b *testing.B) {
	const count, dirs, headerBytes = 29_545, 1_492, 6_740
	dir := b.TempDir()
	size := int64(0)
	for i := range count {
		text := madeUpHeader(i, count, dirs, headerBytes*(1+i%7)/4)
		name := filepath.Join(dir, headerPath(i, dirs))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, text, 0o644)); err != nil {
			b.Fatal(err)
		}
		size += int64(len(text))
	}
	b.SetBytes(size)
	for b.Loop() {
		if r := mustCheck(b, Config{Tree: DirFS(dir)}); r.Headers != count || len(r.Missing) != 1 {
			b.Fatalf("%d headers, missing: %v", r.Headers, r.Missing)
		}
	}
	b.ReportMetric(float64(b.N*count)/b.Elapsed().Seconds(), "headers/s")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/(1<<20), "MiB")
}

func headerPath(i, dirs int) string { return fmt.Sprintf("part%d/group%d/header%d.h", i%40, i%dirs, i) }

// madeUpHeader is header i of a tree; every hundredth includes one that is not there.
func madeUpHeader(i, count, dirs, minBytes int) []byte {
	var s bytes.Buffer
	fmt.Fprintf(&s, "/* SPDX-License-Identifier: MIT */\n/*\n * What this header is for, at some length, as most do it\n * at their top.\n */\n"+
		"#ifndef HEADER%d_H\n#define HEADER%d_H\n\n#include <%s>\n#include <%s>\n", i, i, headerPath((i+1)%count, dirs), headerPath((i*7)%count, dirs))
	if i%100 == 0 {
		s.WriteString("#ifdef CONFIG_MADE_UP\n#include <linux/none.h>\n#endif\n")
	}
	for n := 0; s.Len() < minBytes; n++ {
		fmt.Fprintf(&s, "\n/**\n * struct made_up%d - of two numbers\n * @first:\tthe first, in pages/second\n * @second:\tthe other\n */\n"+
			"struct made_up%d {\n\tunsigned long first;\t\t/* of two */\n\tunsigned long second;\n};\n\n", n, n)
		for flag := range 7 {
			fmt.Fprintf(&s, "#define MADE_UP%d_FLAG%d\t\t(1UL << %d)\n", n, flag, flag)
		}
		fmt.Fprintf(&s, "#define made_up%d_both(m)\t\t\t\\\n\t((m)->first + (m)->second)\t/* may wrap */\n\n", n)
		if n%4 == 0 {
			fmt.Fprintf(&s, "#ifdef MADE_UP%d_FAST\nextern int made_up%d_do(struct made_up *what, const char *name);\n#endif\n", n, n)
		}
		fmt.Fprintf(&s, "static inline int made_up%d_print(struct made_up *what, const char *name)\n{\n\tif (!what)\n\t\treturn -EINVAL;\n"+
			"\treturn printk(\"%%s/%%d\\n\", name, what->first / what->second);\n}\n", n)
	}
	fmt.Fprintf(&s, "\n#endif /* HEADER%d_H */\n", i)
	return s.Bytes()
}
