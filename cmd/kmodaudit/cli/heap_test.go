package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// What builds are taken to take of the heap. No archive counts, nor what tells of no stack.
func TestHeapNeed(t *testing.T) {
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
	need := heapNeed{file: 100, objectByte: 0.5, mostOfObject: 10_000}
	for name, want := range map[string]int{
		"b":           2 * 100,
		"a.su":        100,
		"vmlinux-6.1": 100 + 10_000,
		".":           5*100 + 1000/2 + 10_000,
		"x.tar.zst":   0,
		"none":        0,
	} {
		if got := need.of(filepath.Join(dir, name)); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}
