// Package docs_test holds the documents against the code.
package docs_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/kmodaudit/kmodaudit"

// fenced returns the lines of a document's first code block of that language.
func fenced(t *testing.T, file, language string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n```"+language+"\n")
	block, _, closed := strings.Cut(rest, "\n```")
	if !found || !closed {
		t.Fatalf("%s has no code block of %q", file, language)
	}
	return strings.Split(block, "\n")
}

// A package imports only what stands below it in the picture of the floors.
func TestFloors(t *testing.T) {
	height := map[string]int{}
	lines := fenced(t, "architecture.md", "floors")
	for i, room := range lines {
		if room != "" {
			height[room] = len(lines) - i
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	built := []string{"magefile.go"}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		room := strings.TrimPrefix(p.ImportPath, module+"/")
		if room == "docs" { // nothing but this test
			continue
		}
		built = append(built, room)
		if height[room] == 0 {
			t.Errorf("%s is not in the picture", room)
		}
		for _, imported := range p.Imports {
			below, ours := strings.CutPrefix(imported, module+"/")
			if ours && height[below] >= height[room] {
				t.Errorf("%s imports %s, which does not stand below it", room, below)
			}
		}
	}
	for room := range height {
		if !slices.Contains(built, room) {
			t.Errorf("%s is in the picture, but there is no such package", room)
		}
	}
}
