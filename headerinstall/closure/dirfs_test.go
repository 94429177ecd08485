package closure

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Both ways to a file read all of it, whatever its size.
func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	for _, size := range []int{0, 1, minBufferBytes - 1, minBufferBytes, minBufferBytes + 1, 5*minBufferBytes + 7} {
		want := strings.Repeat("x", size)
		if err := os.WriteFile(filepath.Join(dir, "a.h"), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		for name, tree := range map[string]fs.FS{"os.DirFS": os.DirFS(dir), "DirFS": DirFS(dir)} {
			if got, err := readFile(tree, "a.h", nil); string(got) != want || err != nil {
				t.Errorf("%s: %d of %d bytes, error %v", name, len(got), size, err)
			}
		}
	}
}

// What cannot be read is said, and what is no file any more when it is read makes nobody wait.
func TestUnreadableFiles(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mkfifo(filepath.Join(dir, "fifo.h"), 0o644); err != nil {
		t.Skipf("NOT TESTED: no named pipe can be made here: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "dir.h"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"fifo.h": "", "dir.h": "is a directory", "none.h": "open none.h: no such file"} {
		got, err := readFile(DirFS(dir), name, nil)
		if len(got) > 0 || want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, error %v, want %q", name, got, err, want)
		}
	}
}
