package endtoend

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDigestTree(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	digest := func() string {
		t.Helper()
		d, err := digestTree(dir)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	write("module/a.c", "int a;")
	write(".git/HEAD", "ref: main")
	first := digest()

	write(".git/HEAD", "ref: other")
	if digest() != first {
		t.Error("what Git keeps changes the digest")
	}
	seen := map[string]string{first: "the first tree"}
	for _, change := range []struct {
		name string
		do   func()
	}{
		{"another content of the same size", func() { write("module/a.c", "int b;") }},
		{"a further file", func() { write("module/b.c", "") }},
		{"another name", func() { rename(t, dir, "module/b.c", "module/c.c") }},
		{"another mode", func() { chmod(t, filepath.Join(dir, "module/c.c"), 0o755) }},
		{"a link", func() { link(t, dir, "a.c", "module/l.c") }},
		{"another target", func() { os.Remove(filepath.Join(dir, "module/l.c")); link(t, dir, "c.c", "module/l.c") }},
	} {
		change.do()
		d := digest()
		if before, twice := seen[d]; twice {
			t.Errorf("%s gives the digest of %s", change.name, before)
		}
		seen[d] = change.name
	}
	if _, err := digestTree(filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "give the top of a readable source tree") {
		t.Errorf("a missing tree: %v", err)
	}
}

func rename(t *testing.T, dir, from, to string) {
	t.Helper()
	if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, file string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, dir, target, name string) {
	t.Helper()
	if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}
