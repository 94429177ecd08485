package headerinstall

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestPlan(t *testing.T) {
	tests := []struct {
		name     string
		files    map[string]string
		config   Config
		want     map[string]Action
		warnings []string
	}{
		{
			name:   "any depth, headers only",
			files:  map[string]string{"m/include/a.h": "a", "m/include/1/2/3/4/5/b.h": "b", "m/include/c.c": "c", "m/include/h": "h"},
			config: Config{Sources: []string{"./m/include"}},
			want:   map[string]Action{"a.h": New, "1/2/3/4/5/b.h": New},
		},
		{
			name:   "strip counts the pattern as written",
			files:  map[string]string{"m/include/a.h": "a"},
			config: Config{Sources: []string{"m/include"}, Strip: new(2)},
			want:   map[string]Action{"a.h": New},
		},
		{
			name:   "a source without the component that its leading ./ would be",
			files:  map[string]string{"m/include/sys/a.h": "a"},
			config: Config{Sources: []string{"m/include", "m/inc*", "m/**", "m/include/sys"}},
			want:   map[string]Action{"a.h": New},
			warnings: []string{
				`"m/include" has one component less than are stripped, so that its headers lose a directory of theirs; write "./m/include", or strip 2 components`,
				`"m/inc*" has one component less than are stripped, so that its headers lose a directory of theirs; write "./m/inc*", or strip 2 components`,
			},
		},
		{
			name:   "the root itself",
			files:  map[string]string{"a.h": "a"},
			config: Config{Sources: []string{"."}, Strip: new(1)},
			want:   map[string]Action{"a.h": New},
		},
		{
			name:     "wildcards keep what is written before them",
			files:    map[string]string{"m/include/a.h": "a", "n/include/b.h": "b", "o/include/c.txt": "c", "p/src/d.h": "d"},
			config:   Config{Sources: []string{"./*/include"}},
			want:     map[string]Action{"a.h": New, "b.h": New},
			warnings: []string{`"./o/include" holds no header`},
		},
		{
			name:   "globs of files, alternatives, overlapping patterns",
			files:  map[string]string{"m/include/a.h": "a", "n/include/sys/b.h": "b", "n/include/sys/Makefile.am": ""},
			config: Config{Sources: []string{"./{m,n}/include/**", "./n/include/sys/*.h", "./m/include/a.h"}},
			want:   map[string]Action{"a.h": New, "sys/b.h": New},
		},
		{
			name:   "another idea of a header",
			files:  map[string]string{"m/include/a.h": "a", "m/include/b.inc": "b", "m/include/sys/c.h": "c"},
			config: Config{Sources: []string{"./m/include"}, Include: []string{"**/*.inc", "sys/*"}},
			want:   map[string]Action{"b.inc": New, "sys/c.h": New},
		},
		{
			name:   "same content merges",
			files:  map[string]string{"m/include/a.h": "a", "n/include/a.h": "a"},
			config: Config{Sources: []string{"./*/include"}},
			want:   map[string]Action{"a.h": New},
		},
		{
			name:     "names that differ in case only",
			files:    map[string]string{"m/include/a.h": "a", "m/include/A.h": "A"},
			config:   Config{Sources: []string{"./m/include"}},
			want:     map[string]Action{"a.h": New, "A.h": New},
			warnings: []string{`"A.h" and "a.h" differ only in case; a file system that ignores case cannot hold both: rename one`},
		},
		{
			name:   "a file that is there already is adopted",
			files:  map[string]string{"m/include/a.h": "a", "m/include/b.h": "b", "out/include/a.h": "a"},
			config: Config{Sources: []string{"./m/include"}},
			want:   map[string]Action{"a.h": Same, "b.h": New},
		},
		{
			name:   "force replaces foreign files",
			files:  map[string]string{"m/include/a.h": "a", "out/include/a.h": "b"},
			config: Config{Sources: []string{"./m/include"}, Force: true},
			want:   map[string]Action{"a.h": Changed},
		},
		{
			name:     "the destination is not a source",
			files:    map[string]string{"m/include/a.h": "a", "out/include/b.h": "b"},
			config:   Config{Sources: []string{"./*/include"}},
			want:     map[string]Action{"a.h": New},
			warnings: []string{`"./out/include" is, or lies in, the destination; it is not a source`},
		},
		{
			name:   "a backslash is a character",
			files:  map[string]string{`m/include/a\b.h`: "a"},
			config: Config{Sources: []string{"./m/include"}},
			want:   map[string]Action{`a\b.h`: New},
		},
		{
			name:   "a link beside the way is nobody's concern",
			files:  map[string]string{"m/include/a.h": "a", "build": "-> m", "m/include/README": "-> nowhere", "loop": "-> loop2", "loop2": "-> ."},
			config: Config{Sources: []string{"./m/include"}},
			want:   map[string]Action{"a.h": New},
		},
		{
			name:   "links that stay in their source",
			files:  map[string]string{"m/include/a.h": "-> sys/b.h", "m/include/sys/b.h": "b", "m/include/sys/c.h": "-> ../a.h"},
			config: Config{Sources: []string{"./m/include"}},
			want:   map[string]Action{"a.h": New, "sys/b.h": New, "sys/c.h": New},
		},
		{
			name:   "links that the pattern names",
			files:  map[string]string{"m/inc/sys/a.h": "a", "zfs": "-> m", "m/include": "-> inc"},
			config: Config{Sources: []string{"./zfs/include"}},
			want:   map[string]Action{"sys/a.h": New},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := test.config
			c.Root = writeTree(t, t.TempDir(), test.files)
			c.Dest = filepath.Join(c.Root, "out/include")
			p := mustPlan(t, c)
			if diff := cmp.Diff(test.want, actions(p)); diff != "" {
				t.Errorf("actions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.warnings, p.Warnings); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAbsolutePattern(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/fm/fs/a.h": "a", "n/include/b.h": "b"})
	strip := len(components(root)) + 2
	p := mustPlan(t, Config{Root: t.TempDir(), Sources: []string{root + "/m/include", root + "/n*/include"}, Strip: &strip, Dest: filepath.Join(root, "out")})
	if diff := cmp.Diff(map[string]Action{"fm/fs/a.h": New, "b.h": New}, actions(p)); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	if got, want := entries(p)[1].Source, root+"/m/include/fm/fs/a.h"; got != want {
		t.Errorf("source %q, want %q", got, want)
	}
	if _, err := Install(t.Context(), p); err != nil {
		t.Error(err)
	}
}

func TestPlanEntry(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/fm/fs/a.h": "a", "n/include/fm/fs/a.h": "a"})
	p := mustPlan(t, Config{Root: root, Sources: []string{"./n/include", "./m/include"}, Dest: filepath.Join(root, "out")})
	want := []Entry{{Action: New, File: File{Destination: "fm/fs/a.h", Source: "./n/include/fm/fs/a.h",
		Also: []string{"./m/include/fm/fs/a.h"}, Size: 1, Mode: 0o644, SHA256: sha("a")}}}
	if diff := cmp.Diff(want, entries(p), cmpopts.IgnoreUnexported(Entry{})); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if got := entries(p)[0].Depth(); got != 2 {
		t.Errorf("depth %d, want 2", got)
	}
}

func TestPlanProblems(t *testing.T) {
	type problem struct {
		Reason  Reason
		Path    string
		Sources []string
	}
	tests := []struct {
		name  string
		files map[string]string
		c     Config
		want  []problem
	}{
		{
			name:  "collision names both",
			files: map[string]string{"m/include/sys/a.h": "a", "n/include/sys/a.h": "b"},
			c:     Config{Sources: []string{"./*/include"}},
			want:  []problem{{Collision, "sys/a.h", []string{"./m/include/sys/a.h", "./n/include/sys/a.h"}}},
		},
		{
			name:  "a file and a directory of one name",
			files: map[string]string{"m/include/a.h": "a", "n/include/a.h/b/c.h": "c"},
			c:     Config{Sources: []string{"./*/include"}},
			want:  []problem{{FileVersusDir, "a.h", []string{"./m/include/a.h", "./n/include/a.h/b/c.h"}}},
		},
		{
			name:  "a file where the destination needs a directory",
			files: map[string]string{"m/include/sys/a.h": "a", "out/sys": "file"},
			c:     Config{Sources: []string{"./m/include"}},
			want:  []problem{{FileVersusDir, "sys/a.h", []string{"./m/include/sys/a.h"}}},
		},
		{
			name:  "a directory where the destination needs a file",
			files: map[string]string{"m/include/a.h": "a", "out/a.h/": ""},
			c:     Config{Sources: []string{"./m/include"}, Force: true},
			want:  []problem{{FileVersusDir, "a.h", []string{"./m/include/a.h"}}},
		},
		{
			name:  "links out of the destination",
			files: map[string]string{"m/include/sys/a.h": "a", "m/include/b.h": "b", "out/sys": "-> ../outside", "out/b.h": "-> ../outside/b.h", "outside/b.h": "b"},
			c:     Config{Sources: []string{"./m/include"}},
			want: []problem{
				{Foreign, "b.h", []string{"./m/include/b.h"}},
				{FileVersusDir, "sys/a.h", []string{"./m/include/sys/a.h"}},
			},
		},
		{
			name:  "a link within the destination",
			files: map[string]string{"m/include/sys/a.h": "a", "out/sys": "-> other", "out/other/": ""},
			c:     Config{Sources: []string{"./m/include"}},
			want:  []problem{{FileVersusDir, "sys/a.h", []string{"./m/include/sys/a.h"}}},
		},
		{
			name:  "foreign",
			files: map[string]string{"m/include/a.h": "a", "out/a.h": "b"},
			c:     Config{Sources: []string{"./m/include"}},
			want:  []problem{{Foreign, "a.h", []string{"./m/include/a.h"}}},
		},
		{
			name:  "stripped to nothing",
			files: map[string]string{"m/a.h": "a"},
			c:     Config{Sources: []string{"./m"}},
			want:  []problem{{Reason: OverStripped, Path: "./m/a.h"}},
		},
		{
			name:  "links in the source",
			files: map[string]string{"m/include/a.h": "-> ../b.h", "m/b.h": "b", "m/include/sys": "-> .", "m/include/x": "-> b.h", "m/include/abs.h": "-> /etc/passwd", "m/include/gone.h": "-> nowhere"},
			c:     Config{Sources: []string{"./m/include"}},
			want: []problem{
				{Reason: NotRegular, Path: "./m/include/a.h"}, {Reason: NotRegular, Path: "./m/include/abs.h"},
				{Reason: NotRegular, Path: "./m/include/gone.h"}, {Reason: NotRegular, Path: "./m/include/sys"},
			},
		},
		{
			name:  "links that a wildcard finds",
			files: map[string]string{"m/include/a.h": "a", "n": "-> m", "o/include": "-> ../m/include"},
			c:     Config{Sources: []string{"./n*/include", "./o/*"}},
			want:  []problem{{Reason: NotRegular, Path: "./n"}, {Reason: NotRegular, Path: "./o/include"}},
		},
		{
			name:  "named links to what is no directory",
			files: map[string]string{"m/include/a.h": "a", "n/a.h": "-> ../m/include/a.h", "gone.h": "-> nowhere"},
			c:     Config{Sources: []string{"./n/a.h", "./gone.h"}, Strip: new(1)},
			want:  []problem{{Reason: NotRegular, Path: "./gone.h"}, {Reason: NotRegular, Path: "./n/a.h"}},
		},
		{
			name:  "links to their own directory below a doublestar",
			files: map[string]string{"m/include/a.h": "a", "m/include/x": "-> .", "m/include/y": "-> .", "m/include/z": "-> ."},
			c:     Config{Sources: []string{"./m/**/*.h"}},
			want:  []problem{{Reason: NotRegular, Path: "./m/include/x"}, {Reason: NotRegular, Path: "./m/include/y"}, {Reason: NotRegular, Path: "./m/include/z"}},
		},
		{
			name:  "unsafe names",
			files: map[string]string{"m/include/new\nline.h": "", "m/include/\xff/a.h": "", "m/include/b\xff.h": "", "m/include/\x1b.h": "", "m/include/" + tempPrefix + ".h": ""},
			c:     Config{Sources: []string{"./m/include"}},
			want: []problem{
				{Reason: UnsafeName, Path: "./m/include/\x1b.h"},
				{Reason: UnsafeName, Path: "./m/include/" + tempPrefix + ".h"},
				{Reason: UnsafeName, Path: "./m/include/b\xff.h"},
				{Reason: UnsafeName, Path: "./m/include/new\nline.h"},
				{Reason: UnsafeName, Path: "./m/include/\xff/a.h"},
			},
		},
		{
			name:  "sources that lead nowhere",
			files: map[string]string{"m/include/Makefile.am": ""},
			c:     Config{Sources: []string{"./n/include", "./m/include", "./n/*", "./*/src", ""}},
			want: []problem{
				{Reason: BadPattern, Path: ""},
				{Reason: NoHeader, Path: "./*/src"},
				{Reason: NoHeader, Path: "./m/include"},
				{Reason: MissingSource, Path: "./n"},
				{Reason: MissingSource, Path: "./n/*"},
			},
		},
		{
			name: "patterns that mean nothing",
			c:    Config{Sources: []string{"./*/../m", "./[", "/"}},
			want: []problem{
				{Reason: BadPattern, Path: "./*/../m"},
				{Reason: BadPattern, Path: "./["},
				{Reason: BadPattern, Path: "/"},
			},
		},
		{
			name:  "out of the destination by stripping",
			files: map[string]string{"m/include/a.h": "a"},
			c:     Config{Sources: []string{"./m/../m/include"}, Strip: new(2)},
			want:  []problem{{Reason: UnsafeName, Path: "./m/../m/include/a.h"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := test.c
			c.Root = writeTree(t, t.TempDir(), test.files)
			c.Dest = filepath.Join(c.Root, "out")
			before := readTree(t, c.Root)
			_, err := NewPlan(t.Context(), c)
			var got []problem
			for _, p := range Problems(err) {
				got = append(got, problem{p.Reason, p.Path, p.Sources})
				if !strings.Contains(p.Error(), advice[p.Reason]) || !strings.Contains(err.Error(), p.Error()) {
					t.Errorf("problem without advice, or not in the error: %v", p)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s\n%v", diff, err)
			}
			if diff := cmp.Diff(before, readTree(t, c.Root)); diff != "" {
				t.Errorf("planning wrote (-before +after):\n%s", diff)
			}
		})
	}
}

func TestPlanRefusesFifo(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/": ""})
	if err := syscall.Mkfifo(filepath.Join(root, "m/include/a.h"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := NewPlan(t.Context(), Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")})
	want := `"./m/include/a.h" is a fifo; put a regular file or directory there, or name its target as a source`
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %v, want one that ends in %q", err, want)
	}
}

func TestProblemsAreErrors(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a", "n/include/a.h": "b"})
	_, err := NewPlan(t.Context(), Config{Root: root, Sources: []string{"./*/include"}, Dest: "out"})
	var p *Problem
	if !errors.As(err, &p) || p.Reason != Collision {
		t.Fatalf("error %v holds no collision", err)
	}
	want := `planning headers for out: "a.h" has sources with different content (from "./m/include/a.h", "./n/include/a.h"); ` +
		`leave one of them out, or strip fewer components`
	if err.Error() != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
}

func TestConfigErrors(t *testing.T) {
	tests := []struct {
		name string
		c    Config
		want string
	}{
		{"nothing", Config{}, "no source given"},
		{"no destination", Config{Sources: []string{"."}}, "no destination"},
		{"negative strip", Config{Sources: []string{"."}, Dest: "d", Strip: new(-1)}, "cannot strip -1"},
		{"include glob", Config{Sources: []string{"."}, Dest: "d", Include: []string{"["}}, "malformed"},
		{"manifest in tree", Config{Sources: []string{"."}, Dest: "d", Manifest: "d/x/../manifest.json"}, "inside the destination"},
		{"manifest is tree", Config{Sources: []string{"."}, Dest: "d", Manifest: "./d"}, "inside the destination"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewPlan(t.Context(), test.c)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestPlanStops(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("operator went home")
	cancel(why)
	_, err := NewPlan(ctx, Config{Root: openzfs, Sources: []string{"./zfs/include"}, Dest: filepath.Join(t.TempDir(), "out")})
	if !errors.Is(err, why) {
		t.Errorf("error %v, want %v", err, why)
	}
}

func TestPlanNeedsSoundManifest(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a", "out.manifest.json": "{"})
	_, err := NewPlan(t.Context(), Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")})
	if err == nil || !strings.Contains(err.Error(), "out.manifest.json: unexpected end of JSON input; restore it") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(filepath.Join(root, "out")); err == nil {
		t.Error("planning made the destination")
	}
}

// The components of an absolute path are seldom those that the default speaks of.
func TestAbsoluteSource(t *testing.T) {
	root := t.TempDir()
	writeTree(t, root, map[string]string{"m/include/sys/a.h": "a"})
	source := root + "/m/include"
	parts := components(source)
	for _, test := range []struct {
		source string
		strip  *int
		want   string
	}{
		{source, nil, fmt.Sprintf("%q has %d components, of which 3 are stripped unless told otherwise, so that its headers go below %q;"+
			" strip %d components, or name it by a relative path", source, len(parts), strings.Join(parts[3:], "/"), len(parts))},
		{source, new(3), ""},
		{source, new(len(parts)), ""},
		{"./m/include", nil, ""},
	} {
		p, err := NewPlan(t.Context(), Config{Root: root, Sources: []string{test.source}, Strip: test.strip, Dest: t.TempDir(), Manifest: t.TempDir() + "/m.json"})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(p.Warnings, "\n"); got != test.want {
			t.Errorf("%s: warnings %q, want %q", test.source, got, test.want)
		}
	}
}
