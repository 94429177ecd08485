package headerinstall

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const goldenManifest = `{
  "format": "headers/1",
  "strip": 3,
  "files": [
    {"destination": "sys/a&b.h", "source": "./zfs/include/sys/a&b.h", "also": ["./spl/include/sys/a&b.h"], "size": 2, "mode": "0644", "sha256": "06f961b802bc46ee168555f066d28f4f0e9afdf3f88174c1ee6f9de004fc30a0"}
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
		{"no source", edit(`"./zfs/include/sys/a&b.h"`, `""`), `source "" names no file`},
		{"directory", edit(`"./zfs/include/sys/a&b.h"`, `"./zfs/"`), `source "./zfs/" names no file`},
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

// What is read line by line is what the general reader of JSON reads.
func FuzzReadManifest(f *testing.F) {
	c := Config{Root: openzfs, Sources: []string{"./nvpair/include"}, Dest: filepath.Join(f.TempDir(), "include")}
	real := mustPlan(f, c).Manifest()
	f.Add(real.Encode())
	for i := range real.Files {
		real.Files[i].SourceMtime, real.Files[i].Mtime = 1700000000_123456789, -1
		real.Files[i].Also = []string{"ünïcode \"quoted\".h", "two.h"}
	}
	f.Add(real.Encode())
	f.Add([]byte(goldenManifest))
	f.Add(Manifest{Format: Format}.Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		fast, ok := parseLines(data)
		if diff := cmp.Diff(piecewise(data, 7), piecewise(data, len(data)+1), cmp.AllowUnexported(pieces{}), cmpopts.EquateErrors()); diff != "" {
			t.Errorf("read in short pieces, and at once:\n%s", diff)
		}
		if read := piecewise(data, 64); ok != (read.err == io.EOF) || ok && !cmp.Equal(fast.Files, read.files, cmpopts.EquateEmpty()) {
			t.Errorf("at once %v, in pieces %v:\n%s", ok, read.err, cmp.Diff(fast.Files, read.files))
		}
		if ok {
			slow := Manifest{}
			if err := json.Unmarshal(data, &slow); err != nil {
				t.Fatalf("read, and is no JSON: %v", err)
			}
			if diff := cmp.Diff(slow, fast); diff != "" {
				t.Errorf("JSON has (-), lines have (+):\n%s", diff)
			}
		}
		m, err := ReadManifest(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := ReadManifest(bytes.NewReader(m.Encode()))
		if err != nil {
			t.Fatalf("not read back: %v\n%s", err, m.Encode())
		}
		if diff := cmp.Diff(m, again, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("read back differs:\n%s", diff)
		}
		var r recorder
		for i := range m.Files {
			r.add(&m.Files[i])
		}
		made := r.table()
		var files []File
		for h := range made.headers(anyRow) {
			files = append(files, h.entry().File)
		}
		if diff := cmp.Diff(m.Files, files, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("what is taken out of a table differs:\n%s", diff)
		}
	})
}

// pieces is what has been read of a manifest in pieces, and how that ended.
type pieces struct {
	files []File
	err   error
}

// piecewise reads a manifest as a plan does, so many bytes at once.
func piecewise(data []byte, bytesAtOnce int) (p pieces) {
	rest := data
	lines := manifestLines{read: func(buf []byte) (int, error) {
		n := copy(buf[:min(len(buf), bytesAtOnce)], rest)
		rest = rest[n:]
		return n, nil
	}}
	_, p.err = lines.head()
	for p.err == nil {
		var f File
		if f, p.err = lines.next(); p.err == nil {
			f.Destination, f.Source = strings.Clone(f.Destination), strings.Clone(f.Source)
			for i, name := range f.Also {
				f.Also[i] = strings.Clone(name)
			}
			p.files = append(p.files, f)
		}
	}
	return p
}

func BenchmarkReadManifest(b *testing.B) {
	m := Manifest{Format: Format, Strip: 3}
	for i := range 30000 {
		name := fmt.Sprintf("linux/some%02d/header%05d.h", i/1000, i)
		m.Files = append(m.Files, File{Destination: name, Source: "./zfs/include/" + name, Size: int64(i), Mode: FileMode, SHA256: sha(name)})
	}
	data := m.Encode()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := parseManifest(data); err != nil {
			b.Fatal(err)
		}
	}
}
