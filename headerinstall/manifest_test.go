package headerinstall

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const goldenManifest = `{
  "format": "headers/1",
  "strip": 3,
  "files": [
    {
      "destination": "sys/a&b.h",
      "source": "./zfs/include/sys/a&b.h",
      "also": [
        "./spl/include/sys/a&b.h"
      ],
      "size": 2,
      "mode": "0644",
      "sha256": "06f961b802bc46ee168555f066d28f4f0e9afdf3f88174c1ee6f9de004fc30a0"
    }
  ]
}
`

func TestManifestText(t *testing.T) {
	root := t.TempDir()
	writeTree(t, root, map[string]string{"zfs/include/sys/a&b.h": "A\n", "spl/include/sys/a&b.h": "A\n"})
	c := Config{Root: root, Sources: []string{"./zfs/include", "./spl/include"}, Dest: filepath.Join(root, "out")}
	_, installed := mustInstall(t, c)
	data, err := os.ReadFile(filepath.Join(root, "out.manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(goldenManifest, string(data)); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
	read, err := ReadManifest(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(installed, read); diff != "" {
		t.Errorf("read back (-installed +read):\n%s", diff)
	}
}

func TestReadManifestErrors(t *testing.T) {
	edit := func(old, new string) string { return strings.Replace(goldenManifest, old, new, 1) }
	file := goldenManifest[strings.Index(goldenManifest, "    {"):strings.LastIndex(goldenManifest, "\n  ]")]
	tests := []struct{ name, text, want string }{
		{"empty", "", "unexpected end"},
		{"cut", goldenManifest[:100], "unexpected end"},
		{"two", goldenManifest + goldenManifest, "invalid character '{' after top-level value"},
		{"later format", edit("headers/1", "headers/2"), `format is "headers/2"`},
		{"escape", edit(`"sys/a&b.h"`, `"../sys/a.h"`), "not a clean relative path"},
		{"absolute", edit(`"sys/a&b.h"`, `"/etc/passwd"`), "not a clean relative path"},
		{"unclean", edit(`"sys/a&b.h"`, `"sys/./a.h"`), "not a clean relative path"},
		{"root", edit(`"sys/a&b.h"`, `"."`), "not a clean relative path"},
		{"newline", edit(`"sys/a&b.h"`, `"sys/a\nb.h"`), "holds the character U+000A"},
		{"twice", edit(file, file+",\n"+file), `files[1]: destination "sys/a&b.h" does not sort after`},
		{"mode", edit("0644", "1644"), "not four octal digits"},
		{"short mode", edit("0644", "644"), "not four octal digits"},
		{"digest", edit("06f961", "06f96"), "has 63 digits"},
		{"digest digits", edit("06f961", "06f96x"), "invalid byte"},
		{"size", edit(`"size": 2`, `"size": -2`), "size -2 is negative"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ReadManifest(strings.NewReader(test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func FuzzReadManifest(f *testing.F) {
	c := Config{Root: openzfs, Sources: []string{"./nvpair/include"}, Dest: filepath.Join(f.TempDir(), "include")}
	real, err := mustPlan(f, c).Manifest().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(real)
	f.Add([]byte(goldenManifest))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ReadManifest(bytes.NewReader(data))
		if err != nil {
			return
		}
		text, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadManifest(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("not read back: %v\n%s", err, text)
		}
		textAgain, err := again.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, textAgain) {
			t.Errorf("second encoding differs:\n%s", cmp.Diff(string(text), string(textAgain)))
		}
	})
}
