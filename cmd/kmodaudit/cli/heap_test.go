package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// What builds are taken to take of the heap. No archive counts, nor what tells of no stack.
func TestHeapOf(t *testing.T) {
	dir := t.TempDir()
	for name, size := range map[string]int64{
		"a.su": 10, "b/a.su": 10, "b/a.ci": 10, "b/a.c": 1 << 30, "small.ko.xz": 1000, "x.tar.zst": 1 << 30, "vmlinux-6.1": 1 << 30,
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(file, size); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]int{
		"b":           2 * heapOfFile,
		"a.su":        heapOfFile,
		"vmlinux-6.1": heapOfFile + mostOfObject,
		".":           5*heapOfFile + heapOfByte*1000 + mostOfObject,
		"x.tar.zst":   0,
		"none":        0,
	} {
		if got := heapOf(filepath.Join(dir, name)); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}
