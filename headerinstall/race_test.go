package headerinstall

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A directory of the destination that becomes a symbolic link to outside, and a directory again, while
// installations run does not lead a single write outside, with openat2 and without it.
func TestDirectorySwappedForLink(t *testing.T) {
	for _, byStep := range []bool{false, true} {
		t.Run(fmt.Sprintf("byStep=%v", byStep), func(t *testing.T) {
			if byStep {
				withoutOpenat2(t)
			}
			files := map[string]string{}
			for i := range 50 {
				files[fmt.Sprintf("m/include/sys/deep/h%d.h", i)] = fmt.Sprint(i)
				files[fmt.Sprintf("m/include/sys/h%d.h", i)] = fmt.Sprint(i)
			}
			root := writeTree(t, t.TempDir(), files)
			writeTree(t, root, map[string]string{"outside/deep/": "", "out/sys/deep/": "", "link": "-> outside"})
			outside := stamps(t, filepath.Join(root, "outside"))
			c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out"), Manifest: filepath.Join(root, "m.json")}

			var done atomic.Bool
			stopped := make(chan int)
			go func() {
				swaps := 0
				swap := func() {
					err := unix.Renameat2(unix.AT_FDCWD, filepath.Join(root, "link"), unix.AT_FDCWD, filepath.Join(root, "out/sys"), unix.RENAME_EXCHANGE)
					switch err {
					case nil:
						swaps++
					case unix.ENOENT: // an uninstallation has removed the directory
					default:
						t.Error(err)
					}
				}
				for !done.Load() {
					swap()
				}
				if swaps%2 == 1 { // end with the directory in its place
					swap()
				}
				stopped <- swaps
			}()
			failed, succeeded := 0, 0
			for i := range 150 {
				writeTree(t, root, map[string]string{"m/include/sys/deep/h0.h": fmt.Sprint("again ", i)})
				var err error
				if i%10 == 9 {
					_, err = Uninstall(t.Context(), c)
				} else {
					_, err = Update(t.Context(), c)
				}
				if err != nil {
					failed++
				} else {
					succeeded++
				}
			}
			done.Store(true)
			t.Logf("%d runs failed, %d did not; %d swaps", failed, succeeded, <-stopped)
			if diff := cmp.Diff(outside, stamps(t, filepath.Join(root, "outside"))); diff != "" {
				t.Errorf("outside was touched (-before +after):\n%s", diff)
			}
			c.Force = true // what a failed uninstallation has left is not ours any more
			mustUpdate(t, c)
			if got := readTree(t, c.Dest); len(got) != len(files) {
				t.Errorf("%d files at the end, want %d", len(got), len(files))
			}
		})
	}
}

// withoutOpenat2 makes this process one on a kernel before 5.6.
func withoutOpenat2(t *testing.T) {
	t.Helper()
	has := hasOpenat2
	hasOpenat2 = func() bool { return false }
	t.Cleanup(func() { hasOpenat2 = has })
}

// Both ways of opening a directory take and refuse the same.
func TestSubByStep(t *testing.T) {
	if !hasOpenat2() {
		t.Skip("the kernel has no openat2 to compare with")
	}
	root := writeTree(t, t.TempDir(), map[string]string{
		"a/b/c/": "", "file": "", "in": "-> a", "out": "-> ../..", "a/abs": "-> /", "a/b/up": "-> ..", "loop": "-> loop",
	})
	d, err := openDir(root)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	for _, name := range []string{
		".", "a", "a/b", "a/b/c", "in", "in/b", "out", "a/abs", "a/b/up", "a/b/up/b", "loop", "file", "file/x", "none", "none/x", "a/none",
		"..", "../x", strings.Repeat("n", 256),
	} {
		fast, fastErr := d.sub(name)
		slow, slowErr := d.subByStep(name)
		if fastErr != slowErr {
			t.Errorf("sub(%q): %v, by step: %v", name, fastErr, slowErr)
		}
		if fastErr == nil {
			one, _ := fast.statSelf()
			other, _ := slow.statSelf()
			if one.Ino != other.Ino {
				t.Errorf("sub(%q) are two directories", name)
			}
		}
		fast.close()
		slow.close()
	}
}

// Many installers at once into one destination: each ends well, and at the end there is the tree of one of them.
func TestManyAtOnce(t *testing.T) {
	const runs = 12
	root := t.TempDir()
	trees := make([]map[string]string, runs)
	for v := range runs {
		trees[v] = version(v)
		for name, content := range trees[v] {
			writeTree(t, root, map[string]string{fmt.Sprintf("v%d/include/%s", v, name): content})
		}
	}
	c := Config{Root: root, Dest: filepath.Join(root, "stage/usr/include"), Stage: filepath.Join(root, "stage"), Manifest: filepath.Join(root, "m.json")}
	var wg sync.WaitGroup
	for v := range runs {
		wg.Go(func() {
			cmd := childInstaller(t, withSource(c, fmt.Sprint(v)))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	got := readTree(t, c.Dest)
	for _, tree := range trees {
		if cmp.Equal(tree, got) {
			return
		}
	}
	t.Errorf("%d files, which are no one's tree", len(got))
}

// A second run waits for the first, says so, and can be stopped while it waits.
func TestUpdateWaits(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
	mustUpdate(t, c)
	held, err := c.lockDest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := newCancel(t)
	c.Waiting = func() { cancel(errOperator) }
	if _, err := Update(ctx, c); err == nil || !strings.Contains(err.Error(), errOperator.Error()) {
		t.Errorf("error %v, want that of the operator", err)
	}
	waiting := make(chan struct{})
	c.Waiting = func() { close(waiting) }
	done := make(chan error)
	go func() { _, err := Update(t.Context(), c); done <- err }()
	<-waiting
	select {
	case err := <-done:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	held.close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// An uninstallation that takes the destination away while another waits for its lock does not make it work in a
// directory that has no name any more.
func TestDestinationRemovedWhileWaiting(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
	mustUpdate(t, c)
	held, err := c.lockDest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan struct{})
	c.Waiting = func() { close(waiting) }
	done := make(chan error)
	go func() { _, err := Update(t.Context(), c); done <- err }()
	<-waiting
	if err := os.RemoveAll(c.Dest); err != nil {
		t.Fatal(err)
	}
	held.close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a.h": "a"}, readTree(t, c.Dest)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
}

// A plan that another installation has overtaken is not carried out.
func TestOvertakenPlan(t *testing.T) {
	root := writeTree(t, t.TempDir(), map[string]string{"m/include/a.h": "a"})
	c := Config{Root: root, Sources: []string{"./m/include"}, Dest: filepath.Join(root, "out")}
	p := mustPlan(t, c)
	writeTree(t, root, map[string]string{"m/include/b.h": "b"})
	mustUpdate(t, c)
	if _, err := Install(t.Context(), p); err == nil || !strings.Contains(err.Error(), "worked there since this one was planned") {
		t.Errorf("error %v", err)
	}
}
