package headerinstall

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// What a hostile tree holds is an error that names it; nothing outside of the destination is touched, and what was
// installed stays as it was.
func TestHostileTrees(t *testing.T) {
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name   string
		root   bool // it takes root to make
		damage func(t *testing.T, root string)
		reason Reason
		want   string
	}{
		{
			name: "link out of the source",
			damage: func(t *testing.T, root string) {
				writeTree(t, root, map[string]string{"m/include/x.h": "-> ../../secret"})
			},
			reason: NotRegular, want: `"./m/include/x.h" is a symbolic link that leaves its source`,
		},
		{
			name:   "link to a directory in the source",
			damage: func(t *testing.T, root string) { writeTree(t, root, map[string]string{"m/include/x": "-> /etc"}) },
			reason: NotRegular, want: `"./m/include/x" is a symbolic link to a directory`,
		},
		{
			name:   "fifo in the source",
			damage: func(t *testing.T, root string) { must(t, unix.Mkfifo(filepath.Join(root, "m/include/x.h"), 0o644)) },
			reason: NotRegular, want: `"./m/include/x.h" is a fifo`,
		},
		{
			name: "device in the source", root: true,
			damage: func(t *testing.T, root string) {
				if err := unix.Mknod(filepath.Join(root, "m/include/x.h"), unix.S_IFCHR|0o644, int(unix.Mkdev(1, 3))); err != nil {
					t.Skip(err)
				}
			},
			reason: NotRegular, want: `"./m/include/x.h" is a device`,
		},
		{
			name: "link to a fifo in the source",
			damage: func(t *testing.T, root string) {
				must(t, unix.Mkfifo(filepath.Join(root, "m/include/pipe"), 0o644))
				writeTree(t, root, map[string]string{"m/include/x.h": "-> pipe"})
			},
			reason: NotRegular, want: `"./m/include/x.h" is a fifo`,
		},
		{
			name: "newline in a name",
			damage: func(t *testing.T, root string) {
				writeTree(t, root, map[string]string{"m/include/x\n/etc/passwd.h": ""})
			},
			reason: UnsafeName, want: `holds the character U+000A`,
		},
		{
			name:   "tab in a name",
			damage: func(t *testing.T, root string) { writeTree(t, root, map[string]string{"m/include/x\ty.h": ""}) },
			reason: UnsafeName, want: `holds the character U+0009`,
		},
		{
			name:   "invalid UTF-8 in a name",
			damage: func(t *testing.T, root string) { writeTree(t, root, map[string]string{"m/include/x\xff.h": ""}) },
			reason: UnsafeName, want: `is not valid UTF-8`,
		},
		{
			name:   "path over PATH_MAX, reached by descent",
			damage: func(t *testing.T, root string) { descend(t, filepath.Join(root, "m/include"), 20) },
			reason: UnsafeName, want: `bytes long, and no program can open a path of more than 4095`,
		},
		{
			name: "link in place of a directory of the destination",
			damage: func(t *testing.T, root string) {
				must(t, os.RemoveAll(filepath.Join(root, "out/sys")))
				writeTree(t, root, map[string]string{"out/sys": "-> ../outside"})
			},
			reason: FileVersusDir, want: `"sys" is a symbolic link`,
		},
		{
			name: "link within the destination in place of a directory",
			damage: func(t *testing.T, root string) {
				must(t, os.Rename(filepath.Join(root, "out/sys"), filepath.Join(root, "out/real")))
				writeTree(t, root, map[string]string{"out/sys": "-> real"})
			},
			reason: FileVersusDir, want: `"sys" is a symbolic link`,
		},
		{
			name: "fifo in place of a directory of the destination",
			damage: func(t *testing.T, root string) {
				must(t, os.RemoveAll(filepath.Join(root, "out/sys")))
				must(t, unix.Mkfifo(filepath.Join(root, "out/sys"), 0o644))
			},
			reason: FileVersusDir, want: `"sys" is a fifo`,
		},
		{
			name: "directory in place of a header",
			damage: func(t *testing.T, root string) {
				must(t, os.Remove(filepath.Join(root, "out/a.h")))
				must(t, os.Mkdir(filepath.Join(root, "out/a.h"), 0o755))
			},
			reason: FileVersusDir, want: `a directory is there`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.root && os.Geteuid() != 0 {
				t.Skip("takes root to make")
			}
			root := t.TempDir()
			writeTree(t, root, map[string]string{
				"m/include/a.h": "a", "m/include/sys/b.h": "b", "secret": "secret", "outside/": "",
			})
			c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out"), Manifest: filepath.Join(root, "m.json")}
			mustUpdate(t, c)
			writeTree(t, root, map[string]string{"m/include/a.h": "changed", "m/include/sys/new.h": "new"})
			test.damage(t, root)
			before, stampsBefore := everything(t, root), stamps(t, filepath.Join(root, "out"))
			for _, run := range []func() error{
				func() error { _, err := NewPlan(t.Context(), c); return err },
				func() error { _, err := Update(t.Context(), c); return err },
			} {
				err := run()
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Fatalf("error %v, want %q", err, test.want)
				}
				var p *Problem
				if !errors.As(err, &p) || p.Reason != test.reason {
					t.Errorf("error %v, want one for the reason %s", err, test.reason)
				}
			}
			if diff := cmp.Diff(before, everything(t, root)); diff != "" {
				t.Errorf("something was touched (-before +after):\n%s", diff)
			}
			if diff := cmp.Diff(stampsBefore, stamps(t, filepath.Join(root, "out"))); diff != "" {
				t.Errorf("the destination was touched (-before +after):\n%s", diff)
			}
		})
	}
}

// everything returns what is in root, but for the sources.
func everything(t *testing.T, root string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		all[e.Name()] = e.Type().String()
		switch {
		case e.IsDir() && e.Name() != "m":
			for name, s := range stamps(t, filepath.Join(root, e.Name())) {
				all[e.Name()+"/"+name] = fmt.Sprint(s)
			}
		case e.Type().IsRegular():
			data, err := os.ReadFile(filepath.Join(root, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			all[e.Name()] = string(data)
		}
	}
	return all
}

// descend makes directories of 255 bytes, each in the one before it, and a header in the last.
func descend(t *testing.T, dir string, levels int) {
	t.Helper()
	at, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.Repeat("d", 255)
	for range levels {
		if err := unix.Mkdirat(int(at), name, 0o755); err != nil {
			t.Fatal(err)
		}
		below, err := openAt(int(at), name, unix.O_DIRECTORY, 0)
		if err != nil {
			t.Fatal(err)
		}
		at.close()
		at = below
	}
	defer at.close()
	fd, err := openAt(int(at), "deep.h", unix.O_CREAT|unix.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	fd.close()
}

// Names of the longest size are installed, since an unfinished file has a name of its own.
func TestLongestNames(t *testing.T) {
	long := strings.Repeat("n", 253) + ".h"
	dir := strings.Repeat("d", 255)
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/" + long: "1", "m/include/" + dir + "/" + long: "2"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
	mustUpdate(t, c)
	writeTree(t, root, map[string]string{"m/include/" + long: "changed"})
	p := mustUpdate(t, c)
	if diff := cmp.Diff(map[string]string{long: "changed", dir + "/" + long: "2"}, readTree(t, c.Dest)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	if r, err := Verify(t.Context(), p.Config); err != nil || len(r.Deviations) > 0 {
		t.Errorf("%v, %v", r, err)
	}
	mustUninstall(t, Config{Dest: c.Dest, Manifest: c.Dest + ".manifest.json"})
}

// mounted returns a small file system of its own; making one takes root.
func mounted(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("mounting a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A destination that is full loses nothing that was there, and takes the rest once there is room.
func TestFullDestination(t *testing.T) {
	disk := mounted(t, "size=256k")
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "old", "m/include/b.h": "b"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(disk, "out"), Manifest: filepath.Join(root, "m.json")}
	mustUpdate(t, c)
	writeTree(t, root, map[string]string{"m/include/a.h": strings.Repeat("new\n", 100_000), "m/include/c.h": strings.Repeat("c\n", 100_000)})
	before := readTree(t, c.Dest)
	_, err := Update(t.Context(), c)
	if !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "writing \"") {
		t.Fatalf("error %v, want ENOSPC, and what was written", err)
	}
	if diff := cmp.Diff(before, readTree(t, c.Dest)); diff != "" {
		t.Errorf("tree (-before +after):\n%s", diff)
	}
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT, "size=4m"); err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, c)
	if got := readTree(t, c.Dest); len(got) != 3 || len(got["c.h"]) != 200_000 {
		t.Errorf("%d files", len(got))
	}
}

func TestReadOnlyDestination(t *testing.T) {
	disk := mounted(t, "size=1m")
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "old"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(disk, "out"), Manifest: filepath.Join(root, "m.json")}
	mustUpdate(t, c)
	writeTree(t, root, map[string]string{"m/include/a.h": "new", "m/include/sys/b.h": "b"})
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := Update(t.Context(), c); !errors.Is(err, unix.EROFS) {
		t.Errorf("error %v, want EROFS", err)
	}
	if got := readTree(t, c.Dest)["a.h"]; got != "old" {
		t.Errorf("a.h holds %q", got)
	}
	if _, err := Uninstall(t.Context(), c); !errors.Is(err, unix.EROFS) {
		t.Errorf("uninstalling: error %v, want EROFS", err)
	}
	if err := unix.Mount("", disk, "", unix.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	mustUpdate(t, c)
	mustUninstall(t, c)
}

// Who may not read a source, or write the destination, is told so, and nothing is lost.
func TestWithoutPermission(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("becoming another user takes root")
	}
	root := t.TempDir()
	for dir := root; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	writeTree(t, root, map[string]string{"m/include/a.h": "a", "m/include/hidden.h": "h", "w/": ""})
	if err := errors.Join(os.Chmod(filepath.Join(root, "m/include/hidden.h"), 0o600), os.Chmod(filepath.Join(root, "w"), 0o777)); err != nil {
		t.Fatal(err)
	}
	child := func(c Config) *exec.Cmd {
		cmd := childInstaller(t, c)
		cmd.Path = copyOf(t, cmd.Path, filepath.Join(root, "installer"))
		asNobody(cmd)
		return cmd
	}
	install := func(c Config) string {
		t.Helper()
		cmd := child(c)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("installed %v", c.Sources)
		}
		return string(out)
	}
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "w/out"), Manifest: filepath.Join(root, "w/m.json")}
	if got := install(c); !strings.Contains(got, `"./m/include/hidden.h" cannot be read: permission denied`) {
		t.Errorf("unreadable source: %s", got)
	}
	if exists(t, c.Dest) {
		t.Error("something was written before all was checked")
	}
	c.Sources, c.Dest = []string{"./m/include/a.h"}, filepath.Join(root, "out")
	if got := install(c); !strings.Contains(got, "permission denied") || !strings.Contains(got, "out") {
		t.Errorf("destination that may not be made: %s", got)
	}
	// As another user too, new files are linked, through /proc.
	c.Dest = filepath.Join(root, "w/out")
	cmd := child(c)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if diff := cmp.Diff(map[string]string{"a.h": "a"}, readTree(t, c.Dest)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

// A source that another program writes meanwhile is not installed half old and half new.
func TestChangingSource(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": ""})
	name := filepath.Join(root, "m/include/a.h")
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 16 << 20
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	var done atomic.Bool
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		content := [2][]byte{bytes.Repeat([]byte("a"), size), bytes.Repeat([]byte("b"), size)}
		for i := 0; !done.Load(); i++ {
			if _, err := f.WriteAt(content[i%2], 0); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
	refused := 0
	for i := 0; i < 20 || refused == 0 && i < 500; i++ { // the writer may have to wait on a busy machine
		_, err := Update(t.Context(), c)
		switch {
		case err == nil:
		case strings.Contains(err.Error(), errChanging.Error()):
			refused++
		default:
			t.Errorf("error %v", err)
		}
	}
	done.Store(true)
	<-stopped
	if refused == 0 {
		t.Error("no run noticed that its source was written")
	}
	mustUpdate(t, c)
	installed := readTree(t, c.Dest)["a.h"]
	if content, err := os.ReadFile(name); string(content) != installed || err != nil {
		t.Errorf("the last run installed something else, %v", err)
	}
}
