package compile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/progress"
)

// writeTree makes files by their slash-separated path.
func writeTree(tb testing.TB, files map[string]string) (dir string) {
	tb.Helper()
	dir = tb.TempDir()
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o755)); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// fake makes a compiler that answers by what it is to compile: body is the inside of a shell's case statement about that.
func fake(tb testing.TB, body string) string {
	tb.Helper()
	return filepath.Join(writeTree(tb, map[string]string{"cc": "#!/bin/sh\nunit=$(cat)\ncase $unit in\n" + body + "\nesac\n"}), "cc")
}

func TestCheck(t *testing.T) {
	dir := writeTree(t, map[string]string{"good.h": "", "mended.h": "", "sys/bad.h": "", "sys/excused.h": "", "sys/killed.h": "", "Makefile": "", "a>b.h": ""})
	compiler := fake(t, `
"#include <sys/bad.h>
#include <sys/bad.h>") echo "sys/bad.h:1:2: error: unknown type name 'x'" >&2; exit 1;;
*excused*) echo "x.h:1:2: fatal error: y.h: No such file or directory" >&2; exit 1;;
*killed*) kill -9 $$;;
*) [ "$LC_ALL" = C ] || exit 1;;`)
	excuses := []Excuse{{"sys/excused.h", "so be it", "excuses:1"}, {"mended.h", "once", "excuses:2"}, {"gone.h", "once", "excuses:3"},
		{"sys/killed.h", "nobody knows", "excuses:4"}}
	var last progress.Event
	got, err := Check(t.Context(), Config{Dir: dir, Compiler: compiler, Flags: []string{"-DX"}, Excuses: excuses, Parallel: 2,
		Progress: func(e progress.Event) { last = e }})
	want := Result{
		Language: C,
		Command:  []string{compiler, "-I", dir, "-DX", "-Werror=implicit-function-declaration", "-x", "c", "-fsyntax-only", "-"},
		Compiled: 2,
		Failures: []Failure{{Header: "sys/bad.h", Class: NotSelfContained,
			First: Diagnostic{File: "sys/bad.h", Line: 1, Column: 2, Message: "error: unknown type name 'x'"}}},
		Excused: []Failure{{Header: "sys/excused.h", Class: MissingInclude,
			First:  Diagnostic{File: "x.h", Line: 1, Column: 2, Message: "fatal error: y.h: No such file or directory"},
			Excuse: &excuses[0]}},
		Unneeded: []Unneeded{{excuses[2], "there is no such header"}, {excuses[1], "the header compiles"}},
		NotChecked: []NotChecked{{Header: "a>b.h", Reason: "its name cannot be written in an #include; rename it"},
			{Header: "sys/killed.h", Reason: "the compiler did not end by itself: signal: killed"}},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, result (-want +got):\n%s", err, diff)
	}
	if last.State != progress.Finished {
		t.Errorf("the last event is %+v, want the end of the step", last)
	}
}

func TestGivenHeaders(t *testing.T) {
	dir := writeTree(t, map[string]string{"a.h": "", "b.h": ""})
	got, err := Check(t.Context(), Config{Dir: dir, Headers: []string{"none.h", "a.h"}, Language: CXX, Compiler: fake(t, "*) ;;")})
	if err != nil || got.Compiled != 1 || len(got.NotChecked) != 1 || got.NotChecked[0].Header != "none.h" {
		t.Errorf("error %v, result %+v", err, got)
	}
}

// A header's name says which languages it is for; what is none for C is told.
func TestNamesOfHeaders(t *testing.T) {
	dir := writeTree(t, map[string]string{"b.h": "", "a.hpp": "", "c.hh": "", "d.hxx": "", "e.inc": ""})
	compiler := fake(t, "*) ;;")
	got, err := Check(t.Context(), Config{Dir: dir, Compiler: compiler, Excuses: []Excuse{{"c.hh", "x", "excuses:1"}}})
	want := []NotChecked{{"a.hpp", errOtherLanguage.Error(), true}, {"c.hh", errOtherLanguage.Error(), true}, {"d.hxx", errOtherLanguage.Error(), true}}
	if diff := cmp.Diff(want, got.NotChecked); diff != "" || err != nil || got.Compiled != 1 || len(got.Unneeded) > 0 {
		t.Errorf("error %v, %d compile, unneeded %v, not checked (-want +got):\n%s", err, got.Compiled, got.Unneeded, diff)
	}
	if got, err := Check(t.Context(), Config{Dir: dir, Compiler: compiler, Language: CXX}); err != nil || got.Compiled != 4 {
		t.Errorf("as C++: error %v, result %+v", err, got)
	}
}

// A compiler would wait for a named pipe without end.
func TestNoRegularFile(t *testing.T) {
	dir := writeTree(t, map[string]string{"b.h": ""})
	if err := errors.Join(unix.Mkfifo(filepath.Join(dir, "a.h"), 0o644), os.Symlink("b.h", filepath.Join(dir, "c.h")), os.Symlink("none", filepath.Join(dir, "d.h"))); err != nil {
		t.Skipf("NOT TESTED: no named pipes and links can be made here: %v", err)
	}
	got, err := Check(t.Context(), Config{Dir: dir, Compiler: fake(t, "*) ;;")})
	if err != nil || got.Compiled != 2 || len(got.NotChecked) != 2 || got.NotChecked[0].Header != "a.h" || got.NotChecked[1].Header != "d.h" {
		t.Errorf("error %v, result %+v", err, got)
	}
}

// A check that cannot be made takes nothing for good.
func TestUnfinishedCheck(t *testing.T) {
	dir := writeTree(t, map[string]string{"a.h": "", "b.h": "", "c.h": ""})
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	tests := []struct {
		name     string
		config   Config
		compiled int
		wantErr  string
	}{
		{"no compiler", Config{Compiler: "no-such-compiler"}, 0, "no compiler no-such-compiler"},
		{"no compiler there", Config{Compiler: filepath.Join(dir, "cc")}, 0, "no compiler "},
		{"bad flags", Config{Compiler: fake(t, `"") echo "cc: error: bad flag" >&2; exit 1;;`)}, 0,
			"fails on an empty file with these flags: cc: error: bad flag; correct the flags"},
		{"cancelled", Config{Compiler: fake(t, "*) ;;"), Parallel: 1, Progress: func(e progress.Event) {
			if e.Done == 1 {
				cancel(enough)
			}
		}}, 1, "enough"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.config.Dir = dir
			got, err := Check(ctx, test.config)
			if err == nil || !strings.Contains(err.Error(), test.wantErr) {
				t.Errorf("error %v, want %q", err, test.wantErr)
			}
			if got.Compiled != test.compiled || len(got.NotChecked) != 3-test.compiled || got.NotChecked[0].Reason == "" {
				t.Errorf("%d headers compile, not checked: %v", got.Compiled, got.NotChecked)
			}
		})
	}
	for _, dir := range []string{t.TempDir(), filepath.Join(dir, "none")} {
		if _, err := Check(t.Context(), Config{Dir: dir}); err == nil {
			t.Errorf("no error of %s", dir)
		}
	}
}

// needCompiler skips a test on a machine without a compiler.
func needCompiler(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("NOT TESTED: there is no %s here: %v", name, err)
	}
}

func TestClassesOfTheRealCompiler(t *testing.T) {
	dir := writeTree(t, map[string]string{
		"good.h":     "#pragma once\n#include <next.h>\nstruct good { int i; };\n",
		"next.h":     "typedef int next_t;\n",
		"missing.h":  "#include <sys/none.h>\n",
		"type.h":     "unknown_t f(void);\n",
		"member.h":   "struct member { unknown_t i; };\n",
		"function.h": "typedef unknown_t (function_t)(void);\n",
		"param.h":    "void param(unknown_t *);\n",
		"call.h":     "static inline int call(void) { return called(); }\n",
		"twice.h":    "struct twice { int i; };\n",
		"conflict.h": "#pragma once\ntypedef int next_t;\nextern char good;\nextern int good;\n",
		"refuses.h":  "#error not for you\n",
	})
	want := map[string]Class{"missing.h": MissingInclude, "type.h": NotSelfContained, "member.h": NotSelfContained, "function.h": NotSelfContained, "param.h": NotSelfContained, "call.h": NotSelfContained,
		"twice.h": Conflicting, "conflict.h": Conflicting, "refuses.h": Other}
	for language, compiler := range map[Language]string{C: "cc", CXX: "c++"} {
		t.Run(string(language), func(t *testing.T) {
			needCompiler(t, compiler)
			r, err := Check(t.Context(), Config{Dir: dir, Language: language})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]Class{}
			for _, f := range r.Failures {
				got[f.Header] = f.Class
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("classes (-want +got):\n%s\n%v", diff, r.Failures)
			}
		})
	}
}

// What a rule that knows two levels of headers installs of the bundled tree does not compile; all of it does.
func TestBundledTree(t *testing.T) {
	needCompiler(t, "cc")
	kernel := writeTree(t, map[string]string{"linux/types.h": "#pragma once\ntypedef unsigned char __u8;\n"})
	all, twoLevels := map[string]string{}, map[string]string{}
	roots, err := filepath.Glob("../../testdata/openzfs-2.1.11/*/include")
	if err != nil || len(roots) == 0 {
		t.Fatalf("%d bundled trees, error %v", len(roots), err)
	}
	for _, root := range roots {
		err := fs.WalkDir(os.DirFS(root), ".", func(name string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, ".h") {
				return err
			}
			text, err := os.ReadFile(filepath.Join(root, name))
			all[name] = string(text)
			if strings.Count(name, "/") <= 1 {
				twoLevels[name] = string(text)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	r, err := Check(t.Context(), Config{Dir: writeTree(t, all), Flags: []string{"-I", kernel}})
	if err != nil || r.Compiled != 51 || len(r.Failures)+len(r.NotChecked) > 0 {
		t.Errorf("error %v; %d of 51 headers compile; failures: %v", err, r.Compiled, r.Failures)
	}
	r, err = Check(t.Context(), Config{Dir: writeTree(t, twoLevels), Flags: []string{"-I", kernel}, Headers: []string{"sys/zfs_ioctl.h"}})
	if err != nil || len(r.Failures) != 1 || r.Failures[0].Class != MissingInclude ||
		!strings.Contains(r.Failures[0].First.Message, "sys/fs/zfs.h") {
		t.Errorf("error %v; failures of two levels: %v", err, r.Failures)
	}
}
