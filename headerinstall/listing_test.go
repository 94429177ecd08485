package headerinstall

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// The statuses of all headers are those that lstat tells, also in directories that are dealt to several workers, among what is no header;
// every directory is closed.
func TestListTree(t *testing.T) {
	root := t.TempDir()
	files := map[string]string{}
	for dir, headers := range map[string]int{".": 1, "none": 0, "few/below": partEntries, "few/one": partEntries + 1, "few/many": 5*partEntries - 1} {
		files[dir+"/README"] = "no header"
		for i := range headers {
			files[fmt.Sprintf("%s/h%d.h", dir, i)] = strings.Repeat("x", i)
			files[fmt.Sprintf("%s/h%d.c", dir, i)] = "no header"
		}
	}
	writeTree(t, root, files)
	if err := os.Symlink("h0.h", filepath.Join(root, "few/many/link.h")); err != nil {
		t.Fatal(err)
	}

	open := openFiles(t)
	d, err := openDir(root)
	if err != nil {
		t.Fatal(err)
	}
	top, err := listTree(t.Context(), d, func(fileKey) bool { return false }, true)
	d.close()
	if err != nil {
		t.Fatal(err)
	}
	if now := openFiles(t); now != open {
		t.Errorf("%d files are open, %d were before", now, open)
	}
	got := map[string]status{}
	collectStatuses(top, "", got)
	want := map[string]status{}
	err = filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && filepath.Ext(name) == ".h" {
			var stat unix.Stat_t
			err = unix.Lstat(name, &stat)
			want[strings.TrimPrefix(name, root)] = newStatus(&stat)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(status{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func collectStatuses(d *listedDir, below string, all map[string]status) {
	dirs, statuses := d.dirs, d.statuses
	for name, kind := range d.entries.all() {
		switch {
		case kind == unix.DT_DIR:
			collectStatuses(&dirs[0], below+"/"+name, all)
			dirs = dirs[1:]
		case isCandidate(name, kind):
			all[below+"/"+name] = statuses[0]
			statuses = statuses[1:]
		}
	}
}

// A listing that is stopped closes what it has opened.
func TestListTreeStopped(t *testing.T) {
	root := t.TempDir()
	files := map[string]string{}
	for i := range 3 * partEntries {
		files[fmt.Sprintf("a/h%d.h", i)] = ""
	}
	writeTree(t, root, files)
	d, err := openDir(root)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	open := openFiles(t)
	ctx, cancel := newCancel(t)
	isDest := func(fileKey) bool { cancel(errOperator); return false } // once a directory is open
	if _, err := listTree(ctx, d, isDest, true); err != errOperator {
		t.Errorf("err = %v, want %v", err, errOperator)
	}
	if now := openFiles(t); now != open {
		t.Errorf("%d files are open, %d were before", now, open)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
