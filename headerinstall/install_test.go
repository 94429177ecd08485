package headerinstall

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// stamp is what an unchanged file keeps.
type stamp struct {
	Inode uint64
	Mtime time.Time
	Ctime syscall.Timespec
	Mode  fs.FileMode
}

// stamps returns the stamp of every file and directory below dir.
func stamps(t *testing.T, dir string) map[string]stamp {
	t.Helper()
	all := map[string]stamp{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		stat := info.Sys().(*syscall.Stat_t)
		rel, err := filepath.Rel(dir, name)
		all[rel] = stamp{stat.Ino, info.ModTime(), stat.Ctim, info.Mode()}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func withUmask(t *testing.T, mask int) {
	old := syscall.Umask(mask)
	t.Cleanup(func() { syscall.Umask(old) })
}

func TestSecondRunTouchesNothing(t *testing.T) {
	dir := t.TempDir()
	c := Config{Root: openzfs, Sources: []string{"./*/include"}, Dest: filepath.Join(dir, "include")}
	mustInstall(t, c)
	before := stamps(t, dir)
	p, _ := mustInstall(t, c)
	if diff := cmp.Diff(before, stamps(t, dir)); diff != "" {
		t.Errorf("second run changed (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(map[Action]int{Same: 51}, p.Totals().ByAction); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
}

// A source that only looks newer is the same; one that only looks the same is not.
func TestContentDecides(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/touched.h": "a", "m/include/edited.h": "a"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
	mustInstall(t, c)
	edited := filepath.Join(root, "m/include/edited.h")
	info, err := os.Stat(edited)
	if err != nil {
		t.Fatal(err)
	}
	later := info.ModTime().Add(time.Hour)
	writeTree(t, root, map[string]string{"m/include/edited.h": "b"})
	if err := errors.Join(
		os.Chtimes(edited, info.ModTime(), info.ModTime()),
		os.Chtimes(filepath.Join(root, "m/include/touched.h"), later, later),
	); err != nil {
		t.Fatal(err)
	}
	before := stamps(t, c.Dest)
	p, _ := mustInstall(t, c)
	if diff := cmp.Diff(map[string]Action{"touched.h": Same, "edited.h": Changed}, actions(p)); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	after := stamps(t, c.Dest)
	if before["touched.h"] != after["touched.h"] {
		t.Error("touched.h was touched")
	}
	if before["edited.h"].Inode == after["edited.h"].Inode {
		t.Error("edited.h was written in place")
	}
	if diff := cmp.Diff(map[string]string{"touched.h": "a", "edited.h": "b"}, readTree(t, c.Dest)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

func TestModesWhateverUmask(t *testing.T) {
	withUmask(t, 0o077)
	dir := t.TempDir()
	c := Config{Root: openzfs, Sources: []string{"./zfs/include"}, Dest: filepath.Join(dir, "usr/src/zfs/include"), Manifest: filepath.Join(dir, "lib/zfs.json")}
	mustInstall(t, c)
	for name, s := range stamps(t, dir) {
		want := fs.ModeDir | DirMode
		if !s.Mode.IsDir() {
			want = fs.FileMode(FileMode)
		}
		if name != "." && s.Mode != want {
			t.Errorf("%s has mode %v, want %v", name, s.Mode, want)
		}
	}

	damaged := filepath.Join(c.Dest, "sys/fs/zfs.h")
	before := stamps(t, c.Dest)["sys/fs/zfs.h"]
	if err := os.Chmod(damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	mustInstall(t, c)
	after := stamps(t, c.Dest)["sys/fs/zfs.h"]
	if after.Mode != before.Mode || after.Inode != before.Inode || !after.Mtime.Equal(before.Mtime) {
		t.Errorf("mode not repaired in place: %+v, then %+v", before, after)
	}
}

func TestModTime(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/sys/a.h": "a"})
	epoch := time.Unix(1700000000, 0)
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out"), ModTime: &epoch}
	mustInstall(t, c)
	if got := stamps(t, c.Dest)["sys/a.h"].Mtime; !got.Equal(epoch) {
		t.Errorf("mtime %v, want %v", got, epoch)
	}
}

func TestStale(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{
		"m/include/stays.h": "", "m/include/sys/goes.h": "1", "m/include/deep/er/goes.h": "2", "m/include/edited.h": "3",
		"m/include/gone.h": "4", "m/include/linked.h": "5", "m/include/way/x.h": "6",
		"out/sys/foreign.h": "not ours",
	})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
	mustInstall(t, c)

	if err := errors.Join(
		os.RemoveAll(filepath.Join(root, "m")),
		os.Remove(filepath.Join(c.Dest, "gone.h")),
		os.Remove(filepath.Join(c.Dest, "linked.h")),
		os.Rename(filepath.Join(c.Dest, "way"), filepath.Join(root, "elsewhere")),
	); err != nil {
		t.Fatal(err)
	}
	writeTree(t, root, map[string]string{
		"m/include/stays.h": "", "m/include/new.h": "n", "out/edited.h": "by hand", "out/linked.h": "-> stays.h", "out/way": "-> ../elsewhere",
	})
	p, m := mustInstall(t, c)
	want := map[string]Action{"stays.h": Same, "new.h": New, "sys/goes.h": Stale, "deep/er/goes.h": Stale,
		"edited.h": Kept, "linked.h": Kept, "way/x.h": Kept}
	if diff := cmp.Diff(want, actions(p)); diff != "" {
		t.Errorf("actions (-want +got):\n%s", diff)
	}
	wantTree := map[string]string{"stays.h": "", "new.h": "n", "edited.h": "by hand", "linked.h": "-> stays.h",
		"way": "-> ../elsewhere", "sys/foreign.h": "not ours"}
	if diff := cmp.Diff(wantTree, readTree(t, c.Dest)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"x.h": "6"}, readTree(t, filepath.Join(root, "elsewhere"))); diff != "" {
		t.Errorf("outside the destination (-want +got):\n%s", diff)
	}
	if _, err := os.Lstat(filepath.Join(c.Dest, "deep")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("directory that became empty is still there: %v", err)
	}
	if len(m.Files) != 2 || len(p.Warnings) != 3 {
		t.Errorf("%d files in the manifest, warnings %q; want 2, and 3 warnings", len(m.Files), p.Warnings)
	}
}

func TestOwnedFilesAreRestored(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a", "m/include/b.h": "b", "victim": "v"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
	mustInstall(t, c)
	if err := os.Remove(filepath.Join(c.Dest, "b.h")); err != nil {
		t.Fatal(err)
	}
	writeTree(t, root, map[string]string{"out/a.h": "edited", "out/b.h": "-> ../victim"})
	mustInstall(t, c)
	if diff := cmp.Diff(map[string]string{"a.h": "a", "b.h": "b"}, readTree(t, c.Dest)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	if got, err := os.ReadFile(filepath.Join(root, "victim")); string(got) != "v" {
		t.Errorf("written through a link: %q, %v", got, err)
	}
}

// What a planted link leads to is never written, whether it was there when the plan was made or not.
func TestLinksDoNotLeadOutside(t *testing.T) {
	for _, target := range []string{"../outside", "inside"} {
		root := writeTree(t, t.TempDir(), map[string]string{"m/include/sys/a.h": "a", "outside/": "", "out/inside/": ""})
		c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
		p := mustPlan(t, c)
		writeTree(t, root, map[string]string{"out/sys": "-> " + target})
		if _, err := Install(t.Context(), p); err == nil {
			t.Errorf("installed through a link to %s", target)
		}
		for _, dir := range []string{"outside", "out/inside"} {
			if got := readTree(t, filepath.Join(root, dir)); len(got) > 0 {
				t.Errorf("link to %s: wrote %v into %s", target, got, dir)
			}
		}
	}
}

func TestLeftoversOfKilledRunAreSwept(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{
		"m/include/a.h": "a", "m/include/sys/b.h": "b",
		"out/" + tempPrefix + "1": "half", "out/sys/" + tempPrefix + "2": "ha", "out/sys/.other": "not ours", "out/else/" + tempPrefix + "3": "no header of ours is here",
	})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
	mustInstall(t, c)
	want := map[string]string{"a.h": "a", "sys/b.h": "b", "sys/.other": "not ours", "else/" + tempPrefix + "3": "no header of ours is here"}
	if diff := cmp.Diff(want, readTree(t, c.Dest)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

// The tree and the manifest do not depend on where they were made from, with which umask, or in
// how many steps.
func TestDeterminism(t *testing.T) {
	source, err := filepath.Abs(openzfs)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	epoch := time.Unix(1700000000, 0)
	install := func(c Config) (map[string]string, []byte) {
		c.ModTime = &epoch
		_, m := mustInstall(t, c)
		return readTree(t, c.Dest), m.Encode()
	}
	tree, manifest := install(Config{Root: source, Sources: []string{"./*/include"}, Dest: filepath.Join(dir, "1")})

	t.Chdir(source)
	withUmask(t, 0o027)
	install(Config{Sources: []string{"./zfs/include"}, Dest: filepath.Join(dir, "2")})
	tree2, manifest2 := install(Config{Sources: []string{"./*/include"}, Dest: filepath.Join(dir, "2")})
	if diff := cmp.Diff(tree, tree2); diff != "" {
		t.Errorf("trees differ:\n%s", diff)
	}
	if !bytes.Equal(manifest, manifest2) {
		t.Errorf("manifests differ:\n%s", cmp.Diff(string(manifest), string(manifest2)))
	}

	t.Chdir(dir)
	rel, err := filepath.Rel(dir, source)
	if err != nil {
		t.Fatal(err)
	}
	tree3, manifest3 := install(Config{Root: rel, Sources: []string{"./*/include"}, Dest: "3/x/../x"})
	if diff := cmp.Diff(tree, tree3); diff != "" {
		t.Errorf("trees differ:\n%s", diff)
	}
	if !bytes.Equal(manifest, manifest3) {
		t.Errorf("manifests differ:\n%s", cmp.Diff(string(manifest), string(manifest3)))
	}
	for name, s := range stamps(t, filepath.Join(dir, "3/x")) {
		if s.Mode.IsRegular() && !s.Mtime.Equal(epoch) {
			t.Errorf("%s has mtime %v, want %v", name, s.Mtime, epoch)
		}
	}
}

// stopAfter is cancelled once it has been asked a number of times.
type stopAfter struct {
	context.Context
	asked, limit atomic.Int64
}

func (s *stopAfter) Done() <-chan struct{} { return nil }

func (s *stopAfter) Err() error {
	if s.asked.Add(1) > s.limit.Load() {
		return context.Canceled
	}
	return nil
}

// Wherever it is stopped, each header is wholly old or new, and the next run ends in the planned tree.
func TestStoppedInstallIsFinishedByTheNext(t *testing.T) {
	for limit := range int64(12) {
		old, wanted := map[string]string{}, map[string]string{}
		for i := range 9 {
			old[fmt.Sprintf("d%d/a.h", i)] = "old"
			wanted[fmt.Sprintf("d%d/b.h", i)] = "new"
		}
		root := t.TempDir()
		below := func(files map[string]string) map[string]string {
			all := map[string]string{}
			for name, content := range files {
				all["m/include/"+name] = content
			}
			return all
		}
		c := Config{Root: writeTree(t, root, below(old)), Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
		_, oldManifest := mustInstall(t, c)
		if err := os.RemoveAll(filepath.Join(root, "m")); err != nil {
			t.Fatal(err)
		}
		writeTree(t, root, below(wanted))
		p := mustPlan(t, c)
		ctx := &stopAfter{Context: t.Context()}
		ctx.limit.Store(limit)
		if _, err := Install(ctx, p); err == nil {
			continue // it does not ask that often
		} else if !strings.Contains(err.Error(), "stopped, install again to finish") {
			t.Errorf("error %v", err)
		}
		for name, content := range readTree(t, c.Dest) {
			if content != old[name] && content != wanted[name] {
				t.Errorf("stopped at %d: %s holds %q", limit, name, content)
			}
		}
		if now, err := os.ReadFile(filepath.Join(root, "out.manifest.json")); !bytes.Equal(now, oldManifest.Encode()) {
			t.Errorf("stopped run wrote a manifest: %s, %v", now, err)
		}
		mustInstall(t, c)
		if diff := cmp.Diff(wanted, readTree(t, c.Dest)); diff != "" {
			t.Errorf("tree at the end (-want +got):\n%s", diff)
		}
		if exists(t, filepath.Join(root, "out.manifest.json.journal")) {
			t.Error("the journal is still there")
		}
	}
}

// What is no longer as the plan found it is left alone.
func TestInstallNoticesChanges(t *testing.T) {
	tests := []struct {
		name   string
		change map[string]string
		want   string
	}{
		{"source", map[string]string{"m/include/new.h": "other"}, `"./m/include/new.h" changed since`},
		{"destination appears", map[string]string{"out/new.h": "foreign"}, `"new.h" changed since`},
		{"stale file is edited", map[string]string{"out/stale.h": "edited"}, `"stale.h" changed since`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := writeTree(t, t.TempDir(), map[string]string{"m/include/stale.h": "s"})
			c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
			mustInstall(t, c)
			if err := os.Remove(filepath.Join(root, "m/include/stale.h")); err != nil {
				t.Fatal(err)
			}
			writeTree(t, root, map[string]string{"m/include/new.h": "n"})
			p := mustPlan(t, c)
			writeTree(t, root, test.change)
			_, err := Install(t.Context(), p)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
			for name, content := range readTree(t, c.Dest) {
				if strings.HasPrefix(filepath.Base(name), tempPrefix) {
					t.Errorf("left %s", name)
				}
				if want, ok := test.change["out/"+name]; ok && content != want {
					t.Errorf("%s holds %q, want %q", name, content, want)
				}
			}
		})
	}
}

func TestInstallOfZeroPlan(t *testing.T) {
	if _, err := Install(t.Context(), Plan{}); err == nil {
		t.Error("installed a plan without a destination")
	}
}
