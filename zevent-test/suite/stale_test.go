package suite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// configOf is what ZFS_IOC_POOL_CONFIGS says of a pool, cut to what is read.
func configOf(comment string, paths ...string) nvlist.List {
	var leaves []nvlist.List
	for _, path := range paths {
		leaves = append(leaves, nvlist.New(stringPair("type", "file"), stringPair("path", path)))
	}
	top := nvlist.New(stringPair("type", "mirror"), children(leaves...))
	root := nvlist.New(stringPair("type", "root"), children(top))
	return nvlist.New(stringPair("comment", comment), nvlist.Pair{Name: "vdev_tree", Type: nvlist.NVList, Value: root})
}

func lockedFile(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
}

func TestStalePool(t *testing.T) {
	dir := t.TempDir()
	files := func(pool string) []string { return []string{vdevFile(dir, pool, 0), vdevFile(dir, pool, 1)} }
	lockedFile(t, vdevFile(dir, "kmodaudit-RUNNING", 0))
	tests := []struct {
		what, name string
		config     nvlist.List
		want       bool
	}{
		{"one of a killed run", "kmodaudit-A", configOf(poolComment, files("kmodaudit-A")...), true},
		{"one of a run under way", "kmodaudit-RUNNING", configOf(poolComment, files("kmodaudit-RUNNING")...), false},
		{"without the comment", "kmodaudit-A", configOf("", files("kmodaudit-A")...), false},
		{"with another comment", "kmodaudit-A", configOf("backups", files("kmodaudit-A")...), false},
		{"of another name", "tank", configOf(poolComment, files("tank")...), false},
		{"of one vdev", "kmodaudit-A", configOf(poolComment, files("kmodaudit-A")[:1]...), false},
		{"on disks", "kmodaudit-A", configOf(poolComment, "/dev/sda1", "/dev/sdb1"), false},
		{"on another pool's files", "kmodaudit-A", configOf(poolComment, files("kmodaudit-B")...), false},
		{"without a configuration", "kmodaudit-A", nvlist.List{}, false},
	}
	for _, test := range tests {
		if got := stalePool(control{}, test.name, test.config); (got != nil) != test.want {
			t.Errorf("a pool %s: got %v, want stale %t", test.what, got, test.want)
		}
	}
}

func TestRemoveStaleFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b]*")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{vdevFile(dir, "kmodaudit-A", 0), vdevFile(dir, "kmodaudit-A", 1), vdevFile(dir, "kmodaudit-B", 0), vdevFile(dir, "tank", 0), vdevFile(dir, "kmodaudit-RUNNING", 1), savedLimitFile(dir)} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lockedFile(t, vdevFile(dir, "kmodaudit-RUNNING", 0))
	if err := removeStaleFiles(dir); err != nil {
		t.Fatal(err)
	}
	// Killed before it had written the length, it had not changed it.
	if err := restoreStaleLimit(dir); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range left {
		names = append(names, e.Name())
	}
	if diff := cmp.Diff([]string{"kmodaudit-RUNNING.0.vdev", "kmodaudit-RUNNING.1.vdev", "tank.0.vdev"}, names); diff != "" {
		t.Errorf("files left (-want +got):\n%s", diff)
	}
}

func TestSavedLimitIsOneRuns(t *testing.T) {
	dir := t.TempDir()
	s, err := saveLimit(dir, 512)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := saveLimit(dir, 4); err == nil {
		t.Error("a second run saved over what the first one had")
	}
	if abandoned(savedLimitFile(dir)) {
		t.Error("the file of a run under way counts as abandoned")
	}
	if n, err := readNumber(savedLimitFile(dir)); n != 512 || err != nil {
		t.Errorf("got %d (%v), want 512", n, err)
	}
	if err := s.remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(savedLimitFile(dir)); !os.IsNotExist(err) {
		t.Errorf("the file remains: %v", err)
	}
}
