package headerinstall

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// realTreesEnv names the variable that lists further directories of headers, separated by colons.
const realTreesEnv = "KMODAUDIT_HEADER_TREES"

// realTrees are the directories of headers that Debian's packages have put on this machine, and those of realTreesEnv.
func realTrees(t *testing.T) []string {
	t.Helper()
	trees := filepath.SplitList(os.Getenv(realTreesEnv))
	for _, pattern := range []string{"/usr/src/linux-headers-*-common/include", "/usr/src/zfs-*/include"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		trees = append(trees, found...)
	}
	return trees
}

// Real header trees are installed, verified and uninstalled, and compared with what find and cmp say of them.
func TestRealTrees(t *testing.T) {
	trees := realTrees(t)
	if len(trees) == 0 {
		t.Skipf("no linux-headers-*-common or zfs-* package is installed, and %s names no directory", realTreesEnv)
	}
	for _, tree := range trees {
		t.Run(filepath.Base(filepath.Dir(tree)), func(t *testing.T) { checkRealTree(t, tree) })
	}
}

func checkRealTree(t *testing.T, tree string) {
	dir := t.TempDir()
	c := Config{
		Root: tree, Sources: []string{"."}, Strip: new(1),
		Dest: filepath.Join(dir, "stage/usr/include"), Stage: filepath.Join(dir, "stage"), Manifest: filepath.Join(dir, "m.json"),
	}
	planned := mustPlan(t, c)
	p := mustUpdate(t, c)
	if diff := cmp.Diff(planned.Manifest(), p.Manifest()); diff != "" {
		t.Errorf("planned and installed differ:\n%s", diff)
	}
	want, got := findHeaders(t, tree), findHeaders(t, c.Dest)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("find (-source +installed):\n%s", diff)
	}
	t.Logf("%d headers, %d B, by depth %v", len(got), p.Totals().Bytes, p.Totals().ByDepth)
	compare := exec.Command("find", ".", "-name", "*.h", "-exec", "sh", "-c", `for f; do cmp -- "$f" "$0/$f"; done`, c.Dest, "{}", "+")
	compare.Dir = tree
	if out, err := compare.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("cmp: %v\n%s", err, out)
	}
	if r, err := Verify(t.Context(), p.Config); err != nil || len(r.Deviations) > 0 || r.Headers != len(want) {
		t.Errorf("verify: %d headers, %v, %v", r.Headers, r.Deviations, err)
	}
	if again := mustUpdate(t, c).Totals().ByAction; again[Same] != len(want) || len(again) != 1 {
		t.Errorf("second run: %v", again)
	}
	if r := mustUninstall(t, c); len(r.Removed) != len(want) || exists(t, c.Dest) {
		t.Errorf("uninstall: %d removed, destination still there: %v", len(r.Removed), exists(t, c.Dest))
	}
}

// findHeaders lists headers by their paths, as find(1) does.
func findHeaders(t *testing.T, dir string) []string {
	t.Helper()
	cmd := exec.Command("find", ".", "-name", "*.h")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(out))
	slices.Sort(names)
	return names
}
