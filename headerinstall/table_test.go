package headerinstall

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzCompareJoined(f *testing.F) {
	f.Add("sys/", "a.h", "sys/fs/", "a.h")
	f.Add("", "sys.h", "sys/", "a.h")
	f.Add("ab", "", "a", "b")
	f.Add("", "abcd", "ab", "cd")
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		if got, want := compareJoined(a, b, c, d), strings.Compare(a+b, c+d); got != want {
			t.Errorf("compareJoined(%q, %q, %q, %q) = %d, want %d", a, b, c, d, got, want)
		}
	})
}

// A manifest that another program has laid out anew says the same, also if that shows only after some of its files.
func TestManifestOfAnotherLayout(t *testing.T) {
	files := map[string]string{"m/include/a.h": "a", "m/include/b.h": "b", "m/include/sys/c.h": "c"}
	root := writeTree(t, t.TempDir(), files)
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out"), Manifest: filepath.Join(root, "m.json")}
	encoded := string(mustUpdate(t, c).Manifest().Encode())
	var compact strings.Builder
	var value any
	if err := json.Unmarshal([]byte(encoded), &value); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(&compact).Encode(value); err != nil {
		t.Fatal(err)
	}
	second := strings.Index(encoded, `{"destination": "b.h"`)
	for _, layout := range []string{
		compact.String(),
		encoded[:second] + strings.Replace(encoded[second:], `"size": `, `"size":`, 1),
		strings.TrimSuffix(encoded, "\n"),
		encoded + "\n",
	} {
		writeTree(t, root, map[string]string{"m.json": layout, "m/include/a.h": "A"})
		got := actions(mustUpdate(t, c)) // what it lists is ours, and a.h may be replaced
		if diff := cmp.Diff(map[string]Action{"a.h": Changed, "b.h": Same, "sys/c.h": Same}, got); diff != "" {
			t.Errorf("with %q (-want +got):\n%s", layout, diff)
		}
		writeTree(t, root, map[string]string{"m/include/a.h": "a"})
		mustUpdate(t, c)
		if now := readTree(t, root)["m.json"]; now != encoded {
			t.Errorf("after %q the manifest is\n%s", layout, now)
		}
	}
}

// What is wrong in a manifest that is read line by line is told as it is of one that is read at once.
func TestBrokenManifestLine(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a", "m/include/b.h": "b"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out"), Manifest: filepath.Join(root, "m.json")}
	encoded := string(mustUpdate(t, c).Manifest().Encode())
	for broken, want := range map[string]string{
		strings.Replace(encoded, `"b.h"`, `"a.h"`, 1):        `files[1]: destination "a.h" does not sort after "a.h"`,
		strings.Replace(encoded, `"b.h"`, `"../b.h"`, 1):     `files[1]: destination "../b.h" is not a clean relative path`,
		strings.Replace(encoded, "./m/include/b", "\x7f", 1): `files[1]: name "\x7f.h" holds the character U+007F`,
		encoded[:len(encoded)-4]:                             "unexpected end of JSON input",
		encoded + "{}":                                       "invalid character",
	} {
		writeTree(t, root, map[string]string{"m.json": broken})
		_, err := NewPlan(t.Context(), c)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "m.json: ") {
			t.Errorf("with\n%s: %v, want %q", broken, err, want)
		}
		if _, err := Update(t.Context(), c); err == nil {
			t.Error("installed all the same")
		}
		if now, err := os.ReadFile(c.Manifest); string(now) != broken || err != nil {
			t.Errorf("the manifest was changed: %v", err)
		}
	}
}

// Headers that several patterns lead to come once, also where one of them lies in another; what comes from several trees is sorted.
func TestOverlappingPatterns(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{
		"m/include/z.h": "z", "m/include/sys/c.h": "c", "m/include/sys/fs/d.h": "d", "n/include/a.h": "a", "n/include/sys/fs.h": "e", "n/include/sys/x.h": "x",
	})
	want := []string{"a.h", "sys/c.h", "sys/fs.h", "sys/fs/d.h", "sys/x.h", "z.h"}
	for _, sources := range [][]string{
		{"./m/include", "./n/include"},
		{"./n/include", "./m/include"},
		{"./*/include"},
		{"./m/include", "./m/include", "./n/include/"},
		{"./m/include/sys", "./*/include"},
		{"./*/include", "./m/include/sys/c.h", "./n/include/**/*.h"},
	} {
		p := mustPlan(t, Config{Root: root, Sources: sources, Dest: filepath.Join(root, "out")})
		var got []string
		for e := range p.Entries() {
			got = append(got, e.Destination)
			if len(e.Also) > 0 {
				t.Errorf("%q: %s is also from %q", sources, e.Destination, e.Also)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", sources, diff)
		}
	}
}

// The directories that lead to headers are those that sets of their parents tell, the outer before the inner.
func TestEachDir(t *testing.T) {
	files := map[string]string{}
	for _, name := range []string{"a.h", "a/b/c.h", "a/b.h", "a/b-c/d.h", "a/c.h", "a-b/x/y/z.h", "b/c/d/e.h", "b/c/d.h", "b/f/g.h", "skip/only.h", "z.h"} {
		files["m/include/"+name] = name
	}
	root := writeTree(t, t.TempDir(), files)
	p := mustPlan(t, Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")})
	wanted := func(r *row) bool { return p.headers.dirs[r.dir].to != "skip/" }
	want := dirSet{".": true}
	p.headers.directories(want, wanted)
	got := dirSet{".": true}
	err := p.headers.eachDir(wanted, func(name string, first int) error {
		h := p.headers.header(first)
		switch {
		case got[name]:
			t.Errorf("%q comes twice", name)
		case !got[dirOf(name)]:
			t.Errorf("%q comes before the directory that it lies in", name)
		case !strings.HasPrefix(h.destination(), name+"/"):
			t.Errorf("%q does not lie in %q", h.destination(), name)
		}
		got[name] = true
		return nil
	})
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, (-want +got):\n%s", err, diff)
	}
	stop := errors.New("stop")
	if err := p.headers.eachDir(wanted, func(string, int) error { return stop }); err != stop {
		t.Errorf("err = %v, want %v", err, stop)
	}
}
