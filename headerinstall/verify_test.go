package headerinstall

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// installBundled installs the bundled headers of the module proper below a directory of their own.
func installBundled(t *testing.T) (Config, Manifest) {
	t.Helper()
	c := Config{Root: openzfs, Sources: []string{"./zfs/include"}, Dest: filepath.Join(t.TempDir(), "include")}
	_, m := mustInstall(t, c)
	c.Manifest = c.Dest + ".manifest.json"
	return c, m
}

func TestVerifyUntouched(t *testing.T) {
	withUmask(t, 0o077)
	c, _ := installBundled(t)
	got, err := Verify(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Report{Headers: 43, Deviations: []Deviation{}}, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestVerifyFindsEveryDeviation(t *testing.T) {
	c, m := installBundled(t)
	at := func(name string) string { return filepath.Join(c.Dest, name) }
	outside := writeTree(t, t.TempDir(), map[string]string{"zfs.h": "outside"})
	sameSize := strings.ToUpper(readTree(t, c.Dest)["libzfs.h"])
	if err := errors.Join(
		os.WriteFile(at("libzfs.h"), []byte(sameSize), 0o644),
		os.Remove(at("sys/fm/fs/zfs.h")),
		os.Chmod(at("sys/fm/util.h"), 0o600),
		os.WriteFile(at("sys/fm/protocol.h"), []byte("longer or shorter"), 0o644),
		os.Remove(at("sys/zstd/zstd.h")),
		os.Mkdir(at("sys/zstd/zstd.h"), 0o755),
		os.RemoveAll(at("sys/fs")),
		os.Symlink(outside, at("sys/fs")),
		os.Symlink("util.h", at("sys/fm/link.h")),
		syscall.Mkfifo(at("fifo"), 0o600),
		os.WriteFile(at("sys/lua/"+tempPrefix+"X"), nil, 0o600),
		os.MkdirAll(at("other/dir"), 0o755),
		os.WriteFile(at("other/dir/theirs.h"), nil, 0o644),
	); err != nil {
		t.Fatal(err)
	}
	got, err := Verify(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	size := map[string]int64{}
	for _, f := range m.Files {
		size[f.Destination] = f.Size
	}
	want := Report{Headers: 43, Deviations: []Deviation{
		{"fifo", ForeignFile, "is a fifo that the manifest does not list"},
		{"libzfs.h", ChangedFile, "has other content of the same size"},
		{"sys/fm/fs/zfs.h", MissingFile, "is not there"},
		{"sys/fm/link.h", ForeignFile, "is a symbolic link that the manifest does not list"},
		{"sys/fm/protocol.h", ChangedFile, "has other content: 17 bytes, was installed with " + decimal(size["sys/fm/protocol.h"])},
		{"sys/fm/util.h", ChangedFile, "has mode -rw-------, was installed with -rw-r--r--"},
		{"sys/fs", ForeignFile, "is a symbolic link that the manifest does not list"},
		{"sys/fs/zfs.h", ChangedFile, `cannot be reached: in the way: "sys/fs" is a symbolic link`},
		{"sys/lua/" + tempPrefix + "X", ForeignFile, "is an unfinished file of a stopped installation"},
		{"sys/zstd/zstd.h", ChangedFile, "is a directory"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestVerifyWithoutDestination(t *testing.T) {
	m := Manifest{Format: Format, Files: []File{{Destination: "a.h", Source: "x/a.h"}, {Destination: "b/c.h", Source: "x/b/c.h"}}}
	root := writeTree(t, t.TempDir(), map[string]string{"m.json": string(m.Encode())})
	got, err := Verify(t.Context(), Config{Dest: filepath.Join(root, "none"), Manifest: filepath.Join(root, "m.json")})
	if err != nil {
		t.Fatal(err)
	}
	want := Report{Headers: 2, Deviations: []Deviation{{"a.h", MissingFile, "is not there"}, {"b/c.h", MissingFile, "is not there"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestVerifyStops(t *testing.T) {
	c, _ := installBundled(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Verify(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}
