package docs_test

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"regexp"
	"testing"
)

// The pictures are there, and a browser can read them.
func TestStackOpenZFSHasItsPictures(t *testing.T) {
	text, err := os.ReadFile("stack-openzfs.md")
	if err != nil {
		t.Fatal(err)
	}
	pictures := regexp.MustCompile(`!\[[^\]]+\]\(([^)]+)\)`).FindAllSubmatch(text, -1)
	if len(pictures) != 2 {
		t.Fatalf("%d pictures, want 2", len(pictures))
	}
	for _, picture := range pictures {
		name := string(picture[1])
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for d := xml.NewDecoder(f); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
}
