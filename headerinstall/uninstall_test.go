package headerinstall

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func mustUninstall(t *testing.T, c Config) Removal {
	t.Helper()
	r, err := Uninstall(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func exists(t *testing.T, name string) bool {
	t.Helper()
	_, err := os.Lstat(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func TestUninstallLeavesNothing(t *testing.T) {
	c, m := installBundled(t)
	r := mustUninstall(t, c)
	if len(r.Removed) != len(m.Files) || len(r.Gone)+len(r.Kept) > 0 {
		t.Errorf("%d removed, gone %q, kept %v; want all %d removed", len(r.Removed), r.Gone, r.Kept, len(m.Files))
	}
	left, err := os.ReadDir(filepath.Dir(c.Dest))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What was changed or is foreign stays, with the directories that lead to it.
func TestUninstallKeepsWhatIsNotOurs(t *testing.T) {
	c, m := installBundled(t)
	outside := writeTree(t, t.TempDir(), map[string]string{"zfs.h": readTree(t, c.Dest)["sys/fs/zfs.h"]})
	at := func(name string) string { return filepath.Join(c.Dest, name) }
	if err := errors.Join(
		os.Remove(at("sys/fm/fs/zfs.h")),
		os.Chmod(at("sys/fm/util.h"), 0o600),
		os.WriteFile(at("sys/lua/lua.h"), []byte("edited"), 0o644),
		os.WriteFile(at("sys/zstd/theirs.h"), []byte("theirs"), 0o644),
		os.RemoveAll(at("sys/fs")),
		os.Symlink(outside, at("sys/fs")),
		os.Mkdir(at("empty"), 0o755),
	); err != nil {
		t.Fatal(err)
	}
	r := mustUninstall(t, c)
	want := Removal{Gone: []string{"sys/fm/fs/zfs.h"}, Kept: []Deviation{
		{"sys/fs/zfs.h", ChangedFile, `cannot be reached: in the way: "sys/fs" is a symbolic link`},
		{"sys/lua/lua.h", ChangedFile, "has other content: 6 bytes, was installed with " + decimal(sizeOf(m, "sys/lua/lua.h"))},
	}}
	if len(r.Removed) != len(m.Files)-3 {
		t.Errorf("%d removed, want %d", len(r.Removed), len(m.Files)-3)
	}
	r.Removed = nil
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("removal (-want +got):\n%s", diff)
	}
	left := map[string]string{"sys/lua/lua.h": "edited", "sys/zstd/theirs.h": "theirs", "sys/fs": "-> " + outside}
	if diff := cmp.Diff(left, readTree(t, c.Dest)); diff != "" {
		t.Errorf("left behind (-want +got):\n%s", diff)
	}
	for name, want := range map[string]bool{
		c.Manifest: false, at("sys/fm"): false, at("os"): false, at("empty"): true, filepath.Join(outside, "zfs.h"): true,
	} {
		if exists(t, name) != want {
			t.Errorf("%s exists: %v, want %v", name, !want, want)
		}
	}
}

func sizeOf(m Manifest, destination string) int64 {
	for _, f := range m.Files {
		if f.Destination == destination {
			return f.Size
		}
	}
	return -1
}

// A destination that is a symbolic link stays one, and what it leads to is emptied.
func TestUninstallThroughLink(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a", "real/": "", "dest": "-> real"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "dest"), Manifest: filepath.Join(root, "list.json")}
	mustInstall(t, c)
	mustUninstall(t, c)
	if !exists(t, c.Dest) || !exists(t, filepath.Join(root, "real")) || exists(t, filepath.Join(root, "real/a.h")) {
		t.Error("want the link and its target, without a.h")
	}
}

// Whatever a stopped run has removed, the next one ends where an undisturbed one does.
func TestUninstallAgain(t *testing.T) {
	c, m := installBundled(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Uninstall(ctx, c); !errors.Is(err, context.Canceled) || !exists(t, c.Manifest) {
		t.Fatalf("error %v, want context.Canceled and the manifest still there", err)
	}
	for _, f := range m.Files[:20] {
		if err := os.Remove(filepath.Join(c.Dest, f.Destination)); err != nil {
			t.Fatal(err)
		}
	}
	r := mustUninstall(t, c)
	if len(r.Gone) != 20 || len(r.Removed) != len(m.Files)-20 || exists(t, c.Dest) {
		t.Errorf("%d gone, %d removed, destination still there: %v", len(r.Gone), len(r.Removed), exists(t, c.Dest))
	}
	if _, err := Uninstall(t.Context(), c); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a manifest: error %v, want fs.ErrNotExist", err)
	}
}

// A mistaken destination does not cost the record of the right one, nor directories that happen to be empty.
func TestUninstallFromElsewhere(t *testing.T) {
	c, _ := installBundled(t)
	elsewhere := writeTree(t, t.TempDir(), map[string]string{"include/sys/": ""})
	for _, dest := range []string{filepath.Join(elsewhere, "include"), filepath.Join(elsewhere, "none")} {
		if _, err := Uninstall(t.Context(), Config{Dest: dest, Manifest: c.Manifest}); !errors.Is(err, ErrNothingInstalled) {
			t.Errorf("error %v, want ErrNothingInstalled", err)
		}
	}
	if !exists(t, c.Manifest) || !exists(t, filepath.Join(elsewhere, "include/sys")) {
		t.Error("the manifest or an empty directory was removed")
	}
}

// What a killed run has left changes nothing about a mistaken destination, but a killed uninstallation may have got as far
// as removing every file.
func TestUninstallAfterKill(t *testing.T) {
	c, m := installBundled(t)
	journal := func(first string) {
		t.Helper()
		if err := os.WriteFile(c.Manifest+journalSuffix, []byte(first+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	journal(`{"format": "headers-journal/1"}`)
	elsewhere := Config{Dest: filepath.Join(t.TempDir(), "none"), Manifest: c.Manifest}
	if _, err := Uninstall(t.Context(), elsewhere); !errors.Is(err, ErrNothingInstalled) || !exists(t, c.Manifest) {
		t.Errorf("error %v, want ErrNothingInstalled and the manifest still there", err)
	}
	journal(`{"format": "headers-journal/1"}` + "\n" + `{"removing": true}`)
	if err := os.RemoveAll(c.Dest); err != nil {
		t.Fatal(err)
	}
	r := mustUninstall(t, c)
	if len(r.Gone) != len(m.Files) || exists(t, c.Manifest) || exists(t, c.Manifest+journalSuffix) {
		t.Errorf("%d gone, manifest still there: %v", len(r.Gone), exists(t, c.Manifest))
	}
}
