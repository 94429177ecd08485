package headerinstall

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A directory that a killed run left unfinished goes with the next run, or the uninstallation, and verify tells of it.
func TestUnfinishedDirectory(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a", "m/include/sys/b.h": "b"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out"), Manifest: filepath.Join(root, "m.json")}
	mustUpdate(t, c)
	leave := func() {
		t.Helper()
		writeTree(t, c.Dest, map[string]string{"new/" + tempPrefix + "X/deep/er/c.h": "half", "new/theirs.h": "t", tempPrefix + "Y/d.h": ""})
		writeTree(t, root, map[string]string{"m.json.journal": `{"format": "headers-journal/1"}` + "\n" + `{"dir": "new/fresh"}` + "\n" + `{"dir": "new/fr`})
	}
	leave()
	report, err := Verify(t.Context(), c)
	want := []Deviation{{tempPrefix + "Y", ForeignFile, "is an unfinished directory of a stopped installation"}}
	if diff := cmp.Diff(want, report.Deviations); diff != "" || err != nil {
		t.Errorf("%v, deviations (-want +got):\n%s", err, diff)
	}
	mustUpdate(t, c)
	if diff := cmp.Diff(map[string]string{"a.h": "a", "sys/b.h": "b", "new/theirs.h": "t"}, readTree(t, c.Dest)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	checkDirs(t, c.Dest, map[string]string{"sys/b.h": "", "new/theirs.h": ""})
	if exists(t, filepath.Join(root, "m.json.journal")) {
		t.Error("the journal is still there")
	}
	leave()
	mustUninstall(t, c)
	if diff := cmp.Diff(map[string]string{"new/theirs.h": "t"}, readTree(t, c.Dest)); diff != "" {
		t.Errorf("tree after uninstalling (-want +got):\n%s", diff)
	}
}

// What takes the name of a fresh directory meanwhile is not replaced, and nothing is left beside it.
func TestFreshDirectoryIsOvertaken(t *testing.T) {
	for _, theirs := range []string{"out/sys/theirs.h", "out/sys"} {
		root := writeTree(t, t.TempDir(), map[string]string{"m/include/sys/b.h": "b", "out/": ""})
		c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out"), Manifest: filepath.Join(root, "m.json")}
		p := mustPlan(t, c)
		c = p.Config
		dest, err := c.lockDest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		in := installer{plan: &p, dest: dest, fresh: freshDirs{}, journal: newJournal(c.Manifest, &p.last)}
		if err := in.makeDirs(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := in.write(t.Context()); err != nil {
			t.Fatal(err)
		}
		writeTree(t, root, map[string]string{theirs: "theirs"})
		if err := in.nameDirs(t.Context()); err == nil || !strings.Contains(err.Error(), `"sys" changed since it was planned`) {
			t.Errorf("error %v", err)
		}
		in.discardDirs()
		in.journal.close()
		dest.close()
		if diff := cmp.Diff(map[string]string{strings.TrimPrefix(theirs, "out/"): "theirs"}, readTree(t, c.Dest)); diff != "" {
			t.Errorf("tree (-want +got):\n%s", diff)
		}
		if entries, err := os.ReadDir(c.Dest); len(entries) != 1 || err != nil {
			t.Errorf("%v, %v", entries, err)
		}
	}
}
