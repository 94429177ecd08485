package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEdit(t *testing.T) {
	b, err := newBench(t.TempDir(), linuxHeaders, scaled([]string{"asm/types.h"}, 1))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(b.dir, "headers/asm/types.h")
	for _, want := range []string{"#define Tb", "#define Tc"} {
		restore, err := b.edit()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); string(got) != want || err != nil {
			t.Errorf("edited, it is %q, want %q: %v", got, want, err)
		}
		if err := restore(); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(file); string(got) != "#define T\n" || err != nil {
			t.Errorf("restored, it is %q: %v", got, err)
		}
	}
}

// A tool that leaves a header out, or its former content, is not measured.
func TestCheck(t *testing.T) {
	b, err := newBench(t.TempDir(), linuxHeaders, scaled([]string{"asm/types.h"}, 1))
	if err != nil {
		t.Fatal(err)
	}
	tool := tool{Name: "cp", dest: "cp"}
	installed := filepath.Join(b.dir, "cp/include/asm/types.h")
	if err := os.MkdirAll(filepath.Dir(installed), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := b.check(tool); err == nil {
		t.Error("a missing header passes")
	}
	for content, right := range map[string]bool{"#define T\n": true, "#define U\n": false} {
		if err := os.WriteFile(installed, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := b.check(tool); (err == nil) != right {
			t.Errorf("%q: %v", content, err)
		}
	}
}

func TestInstallScript(t *testing.T) {
	want := `install -D -m 644 'headers/asm/it'\''s/one.h' 'install/include/asm/it'\''s/one.h'` + "\n"
	if got := installScript([]copied{{name: "asm/it's/one.h"}}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
