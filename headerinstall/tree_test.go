package headerinstall

import (
	"crypto/sha256"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// openzfs is the bundled tree with the shape of OpenZFS 2.1.11.
const openzfs = "../testdata/openzfs-2.1.11"

func readTestdata(tb testing.TB, name string) string {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join(openzfs, name))
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

// writeTree makes files by their slash-separated path; one that ends in a slash is a directory, and content
// that starts with "-> " is a symbolic link.
func writeTree(tb testing.TB, dir string, files map[string]string) string {
	tb.Helper()
	for name, content := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(file), 0o755)
		if target, ok := strings.CutPrefix(content, "-> "); err == nil && ok {
			err = os.Symlink(target, file)
		} else if err == nil && strings.HasSuffix(name, "/") {
			err = os.MkdirAll(file, 0o755)
		} else if err == nil {
			err = os.WriteFile(file, []byte(content), 0o644)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

// readTree is writeTree's reverse, without the directories.
func readTree(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		if entry.Type() == fs.ModeSymlink {
			target, err := os.Readlink(name)
			files[filepath.ToSlash(rel)] = "-> " + target
			return err
		}
		data, err := os.ReadFile(name)
		files[filepath.ToSlash(rel)] = string(data)
		return err
	})
	if err != nil {
		tb.Fatal(err)
	}
	return files
}

func sha(content string) Digest { return sha256.Sum256([]byte(content)) }

func mustPlan(tb testing.TB, c Config) Plan {
	tb.Helper()
	p, err := NewPlan(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func mustInstall(tb testing.TB, c Config) (Plan, Manifest) {
	tb.Helper()
	p := mustPlan(tb, c)
	m, err := Install(tb.Context(), p)
	if err != nil {
		tb.Fatal(err)
	}
	return p, m
}

// destinations lists what a plan installs.
func destinations(p Plan) (dests []string) {
	for _, f := range p.Manifest().Files {
		dests = append(dests, f.Destination)
	}
	return dests
}

func entries(p Plan) []Entry { return slices.Collect(p.Entries()) }

// actions maps each destination of a plan to what happens to it.
func actions(p Plan) map[string]Action {
	m := map[string]Action{}
	for e := range p.Entries() {
		m[e.Destination] = e.Action
	}
	return m
}

func TestBundledTree(t *testing.T) {
	zfsOnly := []int{5, 13, 10, 1, 14}
	tests := []struct {
		source string
		want   Totals
	}{
		{"./zfs/include", Totals{Headers: 43, ByDepth: zfsOnly, ByAction: map[Action]int{New: 43}}},
		{"./*/include", Totals{Headers: 51, ByDepth: []int{7, 18, 11, 1, 14}, ByAction: map[Action]int{New: 51}}},
	}
	for _, test := range tests {
		t.Run(test.source, func(t *testing.T) {
			c := Config{Root: openzfs, Sources: []string{test.source}, Dest: filepath.Join(t.TempDir(), "usr/src/zfs/include")}
			p, m := mustInstall(t, c)
			got := p.Totals()
			got.Bytes = 0
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("totals (-want +got):\n%s", diff)
			}
			if len(p.Warnings) > 0 {
				t.Errorf("warnings: %q", p.Warnings)
			}
			installed := readTree(t, c.Dest)
			for _, f := range m.Files {
				if content, ok := installed[f.Destination]; !ok || sha(content) != f.SHA256 || int64(len(content)) != f.Size {
					t.Errorf("%s is not installed as the manifest says", f.Destination)
				}
				if want := readTestdata(t, f.Source); installed[f.Destination] != want {
					t.Errorf("%s does not hold what %s does", f.Destination, f.Source)
				}
			}
			if len(installed) != len(m.Files) {
				t.Errorf("%d files installed, %d in the manifest", len(installed), len(m.Files))
			}
		})
	}
}

// The bundled headers are complete: what they include from < > is installed too, except for the
// kernel's own.
func TestBundledTreeIsClosed(t *testing.T) {
	dest := filepath.Join(t.TempDir(), "include")
	mustInstall(t, Config{Root: openzfs, Sources: []string{"./*/include"}, Dest: dest})
	installed := readTree(t, dest)
	for name, content := range installed {
		for line := range strings.Lines(content) {
			included, ok := strings.CutPrefix(line, "#include <")
			included = strings.TrimSuffix(included, ">\n")
			if !ok || strings.HasPrefix(included, "linux/") {
				continue
			}
			if _, ok := installed[included]; !ok {
				t.Errorf("%s includes <%s>, which is not installed", name, included)
			}
		}
	}
}

// A rule that knows headers one and two levels below the module's directory loses all others.
func TestDepthsThatTwoLevelRuleLoses(t *testing.T) {
	plan := func(sources ...string) []string {
		return destinations(mustPlan(t, Config{Root: openzfs, Sources: sources, Dest: filepath.Join(t.TempDir(), "include")}))
	}
	twoLevels := plan("./zfs/include/*.h", "./zfs/include/*/*.h")
	all := plan("./zfs/include")

	var lost []string
	for _, dest := range all {
		if !slices.Contains(twoLevels, dest) && !strings.HasPrefix(dest, "os/") {
			lost = append(lost, dest)
		}
	}
	want := []string{
		"sys/crypto/api.h", "sys/crypto/common.h", "sys/crypto/icp.h", "sys/fm/fs/zfs.h", "sys/fm/protocol.h", "sys/fm/util.h",
		"sys/fs/zfs.h", "sys/lua/lua.h", "sys/lua/luaconf.h", "sys/sysevent/eventdefs.h", "sys/zstd/zstd.h",
	}
	if diff := cmp.Diff(want, lost); diff != "" {
		t.Errorf("headers outside os/ that the two-level rule loses (-want +got):\n%s", diff)
	}
	if len(twoLevels) != 18 || len(all) != 43 {
		t.Errorf("%d headers by the two-level rule, %d by ours; want 18, 43", len(twoLevels), len(all))
	}
}

// The 266 headers that OpenZFS 2.1.11 ships for Linux.
func TestRecordedPaths(t *testing.T) {
	root := t.TempDir()
	files := map[string]string{"zfs/include/Makefile.am": "", "zfs/include/sys/Makefile.am": ""}
	var want []string
	for _, line := range strings.Fields(readTestdata(t, "headers.txt")) {
		files["zfs/"+line] = "/* " + line + " */\n"
		want = append(want, strings.TrimPrefix(line, "include/"))
	}
	slices.Sort(want)
	p := mustPlan(t, Config{Root: writeTree(t, root, files), Sources: []string{"./zfs/include"}, Dest: filepath.Join(root, "out")})
	if diff := cmp.Diff(want, destinations(p)); diff != "" {
		t.Errorf("destinations (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int{18, 135, 13, 1, 99}, p.Totals().ByDepth); diff != "" {
		t.Errorf("headers by depth (-want +got):\n%s", diff)
	}
}
