package headerinstall

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// kills is how often an installer is killed. Some of the kills come after it has ended.
const kills = 300

// version is the content of a header tree at one of its versions: some headers of each are those of all, some
// differ, some are of that version only, in directories of that version only.
func version(v int) map[string]string {
	files := map[string]string{}
	for i := range 40 {
		files[fmt.Sprintf("common/d%d/same%d.h", i%7, i)] = strings.Repeat("same\n", 50)
		files[fmt.Sprintf("common/d%d/edited%d.h", i%7, i)] = strings.Repeat(fmt.Sprintf("version %d\n", v), 50+i)
		files[fmt.Sprintf("only%d/d%d/deep/h%d.h", v, i%5, i)] = strings.Repeat(fmt.Sprintf("only %d\n", v), 50)
	}
	return files
}

// An installer that is killed at any moment leaves each file wholly old or wholly new, and foreign files alone; whatever
// version is installed after that, what is there is exactly that version.
func TestKilledAtRandom(t *testing.T) {
	rounds := kills
	if testing.Short() {
		rounds = 40
	}
	root := t.TempDir()
	versions := map[string]map[string]string{}
	whole := map[string][]string{} // destination: every content that it may have
	for v := range 3 {
		name := fmt.Sprint(v)
		versions[name] = version(v)
		for dest, content := range versions[name] {
			whole[dest] = append(whole[dest], content)
			writeTree(t, root, map[string]string{"v" + name + "/include/" + dest: content})
		}
	}
	c := Config{Root: root, Strip: new(3), Dest: filepath.Join(root, "out/include"), Manifest: filepath.Join(root, "state/m.json")}
	foreign := map[string]string{"theirs.h": "1", "only1/theirs.h": "2", "common/d3/theirs": "3"}
	writeTree(t, c.Dest, foreign)

	first := startInstaller(t, withSource(c, "0"))
	began := time.Now()
	if err := first.Wait(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	halves := 0
	for round := range rounds {
		v := fmt.Sprint(random.IntN(3))
		cmd := startInstaller(t, withSource(c, v))
		// The moment is the test's random input; nothing waits for it to be the right one.
		time.Sleep(time.Duration(random.Int64N(int64(took))))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()

		tree := readTree(t, c.Dest)
		for name, content := range foreign {
			if tree[name] != content {
				t.Fatalf("round %d: foreign %s holds %q", round, name, tree[name])
			}
			delete(tree, name)
		}
		for name, content := range tree {
			if strings.Contains(name, tempPrefix) {
				continue
			}
			if !isOneOf(content, whole[name]) {
				t.Fatalf("round %d: %s is neither old nor new: %q", round, name, content)
			}
		}
		if !isVersion(tree, versions) {
			halves++
		}
		if random.IntN(3) > 0 {
			continue // the next is killed on top of this one
		}
		v = fmt.Sprint(random.IntN(3))
		p := mustUpdate(t, withSource(c, v))
		want := maps.Clone(versions[v])
		maps.Copy(want, foreign)
		if diff := cmp.Diff(want, readTree(t, c.Dest)); diff != "" {
			t.Fatalf("round %d: tree after the re-run (-want +got):\n%s", round, diff)
		}
		checkDirs(t, c.Dest, want)
		report, err := Verify(t.Context(), p.Config)
		for _, d := range report.Deviations {
			if foreign[d.Destination] == "" {
				t.Errorf("round %d: deviation %v", round, d)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		written, err := ReadManifestFile(c.Manifest)
		if diff := cmp.Diff(p.Manifest(), written); diff != "" || err != nil {
			t.Fatalf("round %d: %v, manifest (-want +got):\n%s", round, err, diff)
		}
		if entries, err := os.ReadDir(filepath.Dir(c.Manifest)); err != nil || len(entries) != 1 {
			t.Fatalf("round %d: beside the manifest: %v, %v", round, entries, err)
		}
	}
	t.Logf("%d kills, %d of them left a tree between two versions", rounds, halves)
	if halves == 0 {
		t.Error("no kill came while an installer was at work")
	}
}

// startInstaller starts an installer, and returns once that begins.
func startInstaller(t *testing.T, c Config) *exec.Cmd {
	t.Helper()
	cmd := childInstaller(t, c)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		_, err = io.ReadFull(out, make([]byte, len(childBegins)))
	}
	if err != nil {
		t.Fatal(err)
	}
	return cmd
}

func withSource(c Config, v string) Config {
	c.Sources = []string{"./v" + v + "/include"}
	return c
}

func isOneOf(content string, all []string) bool {
	for _, one := range all {
		if content == one {
			return true
		}
	}
	return false
}

func isVersion(tree map[string]string, versions map[string]map[string]string) bool {
	for _, v := range versions {
		if maps.Equal(tree, v) {
			return true
		}
	}
	return false
}

// checkDirs fails if there is a directory that leads to no file.
func checkDirs(t *testing.T, dest string, files map[string]string) {
	t.Helper()
	needed := map[string]bool{".": true}
	for name := range files {
		for dir := filepath.Dir(name); dir != "."; dir = filepath.Dir(dir) {
			needed[dir] = true
		}
	}
	for name, s := range stamps(t, dest) {
		if s.Mode.IsDir() && !needed[name] {
			t.Errorf("directory %s was left", name)
		}
	}
}
