package headerinstall

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The questions that every installer of headers answers in its own way: cp, rsync, install, cpio, tar, CMake, Meson and
// Automake each answer at least one of them wrongly. Each case changes a tree that was installed, installs again, and
// looks at what has become of it.
func TestConformance(t *testing.T) {
	type tree struct {
		root   string
		config Config
		before map[string]stamp // of the destination, when it was first installed
		after  map[string]stamp
	}
	at := func(tr *tree, name string) string { return filepath.Join(tr.root, name) }
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	kept := func(t *testing.T, tr *tree, names ...string) {
		t.Helper()
		for _, name := range names {
			if diff := cmp.Diff(tr.before[name], tr.after[name]); diff != "" {
				t.Errorf("%s was touched (-before +after):\n%s", name, diff)
			}
		}
	}
	holds := func(t *testing.T, name, want string) {
		t.Helper()
		if got, err := os.ReadFile(name); string(got) != want || err != nil {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
		}
	}
	tests := []struct {
		name   string
		change func(*testing.T, *tree)
		fails  string // what the second run's error has, if it must fail
		check  func(*testing.T, *tree)
	}{
		{
			name:  "second run, no change: kept",
			check: func(t *testing.T, tr *tree) { kept(t, tr, "a.h", "sys/b.h", "sys/fs/c.h", ".", "sys", "sys/fs") },
		},
		{
			name: "touch-only source: kept",
			change: func(t *testing.T, tr *tree) {
				later := time.Now().Add(time.Hour)
				must(t, os.Chtimes(at(tr, "m/include/a.h"), later, later))
			},
			check: func(t *testing.T, tr *tree) { kept(t, tr, "a.h") },
		},
		{
			name: "source edited, same size and mtime: seen",
			change: func(t *testing.T, tr *tree) {
				info, err := os.Stat(at(tr, "m/include/a.h"))
				must(t, err)
				must(t, os.WriteFile(at(tr, "m/include/a.h"), []byte("A"), 0o644))
				must(t, os.Chtimes(at(tr, "m/include/a.h"), info.ModTime(), info.ModTime()))
			},
			check: func(t *testing.T, tr *tree) {
				holds(t, at(tr, "out/a.h"), "A")
				kept(t, tr, "sys/b.h", "sys/fs/c.h")
				if !tr.after["a.h"].Mtime.After(tr.before["a.h"].Mtime) {
					t.Error("a changed header must get a new mtime, or what includes it is not rebuilt")
				}
			},
		},
		{
			name: "destination tampered, same size and mtime: restored",
			change: func(t *testing.T, tr *tree) {
				must(t, os.WriteFile(at(tr, "out/a.h"), []byte("X"), 0o644))
				must(t, os.Chtimes(at(tr, "out/a.h"), tr.before["a.h"].Mtime, tr.before["a.h"].Mtime))
			},
			check: func(t *testing.T, tr *tree) { holds(t, at(tr, "out/a.h"), "a") },
		},
		{
			name: "destination and source changed alike: kept, and recorded",
			change: func(t *testing.T, tr *tree) {
				must(t, os.WriteFile(at(tr, "out/a.h"), []byte("X"), 0o644))
				must(t, os.WriteFile(at(tr, "m/include/a.h"), []byte("X"), 0o644))
			},
			check: func(t *testing.T, tr *tree) {
				m, err := ReadManifestFile(tr.config.Manifest)
				must(t, err)
				if m.Files[0].SHA256 != sha("X") {
					t.Error("the manifest has an old digest")
				}
			},
		},
		{
			name:   "destination deleted: restored",
			change: func(t *testing.T, tr *tree) { must(t, os.RemoveAll(at(tr, "out/sys"))) },
			check:  func(t *testing.T, tr *tree) { holds(t, at(tr, "out/sys/fs/c.h"), "c"); kept(t, tr, "a.h") },
		},
		{
			name: "stale header: removed; foreign ones: left",
			change: func(t *testing.T, tr *tree) {
				must(t, os.RemoveAll(at(tr, "m/include/sys")))
				writeTree(t, tr.root, map[string]string{"out/sys/theirs.h": "theirs", "out/other/x.h": "theirs"})
			},
			check: func(t *testing.T, tr *tree) {
				want := map[string]string{"a.h": "a", "sys/theirs.h": "theirs", "other/x.h": "theirs"}
				if diff := cmp.Diff(want, readTree(t, at(tr, "out"))); diff != "" {
					t.Errorf("tree (-want +got):\n%s", diff)
				}
				if exists(t, at(tr, "out/sys/fs")) {
					t.Error("a directory that became empty is still there")
				}
			},
		},
		{
			name: "destination file is a symbolic link: replaced, not written through",
			change: func(t *testing.T, tr *tree) {
				must(t, os.WriteFile(at(tr, "victim"), []byte("a"), 0o600))
				must(t, os.Remove(at(tr, "out/a.h")))
				must(t, os.Symlink("../victim", at(tr, "out/a.h")))
				must(t, os.WriteFile(at(tr, "m/include/a.h"), []byte("new"), 0o644))
			},
			check: func(t *testing.T, tr *tree) {
				holds(t, at(tr, "victim"), "a")
				holds(t, at(tr, "out/a.h"), "new")
				if !tr.after["a.h"].Mode.IsRegular() {
					t.Error("a.h is still a link")
				}
			},
		},
		{
			name: "destination directory is a symbolic link to outside: refused",
			change: func(t *testing.T, tr *tree) {
				must(t, os.Mkdir(at(tr, "outside"), 0o755))
				must(t, os.RemoveAll(at(tr, "out/sys")))
				must(t, os.Symlink("../outside", at(tr, "out/sys")))
			},
			fails: `in the way: "sys" is a symbolic link`,
			check: func(t *testing.T, tr *tree) {
				if got := readTree(t, at(tr, "outside")); len(got) > 0 {
					t.Errorf("wrote outside: %v", got)
				}
				kept(t, tr, "a.h")
			},
		},
		{
			name: "two sources of different content for one destination: refused",
			change: func(t *testing.T, tr *tree) {
				writeTree(t, tr.root, map[string]string{"n/include/a.h": "other", "n/include/new.h": "n"})
			},
			fails: `"a.h" has sources with different content (from "./m/include/a.h", "./n/include/a.h")`,
			check: func(t *testing.T, tr *tree) {
				kept(t, tr, ".", "a.h")
				if exists(t, at(tr, "out/new.h")) {
					t.Error("something was written")
				}
			},
		},
		{
			name:   "a source that went away: refused, and what was installed stays",
			change: func(t *testing.T, tr *tree) { must(t, os.RemoveAll(at(tr, "m"))) },
			fails:  `"./*/include" holds no header`,
			check:  func(t *testing.T, tr *tree) { kept(t, tr, ".", "a.h", "sys/b.h", "sys/fs/c.h") },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			withUmask(t, 0o077)
			root := t.TempDir()
			tr := &tree{root: root, config: Config{
				Root: root, Sources: []string{"./*/include"}, Dest: filepath.Join(root, "out"), Manifest: filepath.Join(root, "state/m.json"),
			}}
			writeTree(t, root, map[string]string{"m/include/a.h": "a", "m/include/sys/b.h": "b", "m/include/sys/fs/c.h": "c"})
			mustUpdate(t, tr.config)
			tr.before = stamps(t, tr.config.Dest)
			if test.change != nil {
				test.change(t, tr)
			}
			_, err := Update(t.Context(), tr.config)
			if (err != nil) != (test.fails != "") || err != nil && !strings.Contains(err.Error(), test.fails) {
				t.Fatalf("error %v, want %q", err, test.fails)
			}
			tr.after = stamps(t, tr.config.Dest)
			test.check(t, tr)
			for name, s := range tr.after {
				want := fs.FileMode(FileMode)
				if s.Mode.IsDir() {
					want = fs.ModeDir | DirMode
				}
				if _, ours := tr.before[name]; ours && s.Mode.Type() != fs.ModeSymlink && s.Mode != want {
					t.Errorf("%s has mode %v under umask 077, want %v", name, s.Mode, want)
				}
			}
		})
	}
}

// Who has a header open while it is replaced reads the old one to its end.
func TestUpdateIsNotInPlace(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "old content"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
	mustUpdate(t, c)
	reader, err := os.Open(filepath.Join(c.Dest, "a.h"))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	writeTree(t, root, map[string]string{"m/include/a.h": "new"})
	mustUpdate(t, c)
	if got, err := io.ReadAll(reader); string(got) != "old content" || err != nil {
		t.Errorf("the reader got %q, %v", got, err)
	}
}

// Trusting times looks at times alone, on both sides, and at content where the manifest has none.
func TestTrustModTime(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a", "m/include/b.h": "b", "m/include/c.h": "c"})
	long := time.Now().Add(-time.Hour)
	for _, name := range []string{"a.h", "b.h", "c.h"} {
		if err := os.Chtimes(filepath.Join(root, "m/include", name), long, long); err != nil {
			t.Fatal(err)
		}
	}
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out"), TrustModTime: true}
	mustUpdate(t, c)
	installed := stamps(t, c.Dest)
	setBack := func(name string, mtime time.Time) {
		t.Helper()
		if err := os.Chtimes(filepath.Join(root, name), mtime, mtime); err != nil {
			t.Fatal(err)
		}
	}
	writeTree(t, root, map[string]string{"m/include/a.h": "A", "m/include/b.h": "B", "out/c.h": "X"})
	setBack("m/include/a.h", long) // missed, as asked for
	p := mustUpdate(t, c)
	if diff := cmp.Diff(map[string]Action{"a.h": Same, "b.h": Changed, "c.h": Changed}, actions(p)); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	if entries(p)[0].SHA256 != sha("a") {
		t.Error("the digest is not the manifest's")
	}
	setBack("out/c.h", installed["c.h"].Mtime)
	c.TrustModTime = false
	p = mustUpdate(t, c)
	if diff := cmp.Diff(map[string]Action{"a.h": Changed, "b.h": Same, "c.h": Same}, actions(p)); diff != "" {
		t.Errorf("without trust (-want +got):\n%s", diff)
	}
	if strings.Contains(string(p.Manifest().Encode()), "mtime") {
		t.Error("a manifest of a run that trusts no times has some")
	}
}

// A source that has just been written could be written again within the same tick of the clock.
func TestFreshModTimeIsNotTrusted(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a"})
	future := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(root, "m/include/a.h"), future, future); err != nil {
		t.Fatal(err)
	}
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out"), TrustModTime: true}
	p := mustUpdate(t, c)
	if got := entries(p)[0].SourceMtime; got != 0 {
		t.Errorf("recorded %d", got)
	}
}

func TestKeepModTime(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a"})
	mtime, epoch := time.Unix(1500000000, 123456789), time.Unix(1700000000, 0)
	if err := os.Chtimes(filepath.Join(root, "m/include/a.h"), mtime, mtime); err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out"), KeepModTime: true, ModTime: &epoch, Sync: true})
	if got := stamps(t, filepath.Join(root, "out"))["a.h"].Mtime; !got.Equal(mtime) {
		t.Errorf("mtime %v, want %v", got, mtime)
	}
}
