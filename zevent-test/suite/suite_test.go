package suite_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent-test/suite"
)

// statuses runs all checks and returns the outcome of each by name.
func statuses(ctx context.Context, target suite.Target) map[string]suite.Status {
	got := map[string]suite.Status{}
	for r := range suite.Run(ctx, target, suite.Checks()) {
		got[r.Name] = r.Status
	}
	return got
}

func allPass() map[string]suite.Status {
	want := map[string]suite.Status{}
	for _, c := range suite.Checks() {
		want[c.Name] = suite.Pass
	}
	return want
}

func TestEmulatedPasses(t *testing.T) {
	want := allPass()
	for name := range deviceOnly() {
		want[name] = suite.Skip
	}
	for name, recorded := range map[string][]zevent.Event{"built": nil, "recorded": suite.Recorded(t), "two recorded": suite.Recorded(t)[:2]} {
		got := statuses(t.Context(), suite.NewEmulatedTarget(recorded, ""))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s events (-want +got):\n%s", name, diff)
		}
	}
}

func TestEveryRecordedEventPasses(t *testing.T) {
	events := suite.Recorded(t)
	target := suite.NewEmulatedTarget(events, "")
	checks := suite.Matching(suite.Checks(), regexp.MustCompile("^raise-and-read$"))
	for _, e := range events {
		for r := range suite.Run(t.Context(), target, checks) {
			if r.Status != suite.Pass || len(r.Events) != 1 || r.Events[0].EID != e.EID {
				t.Errorf("EID %d: got %s, %d events: %s", e.EID, r.Status, len(r.Events), r.Detail)
			}
		}
	}
}

func TestResultKeepsEvents(t *testing.T) {
	for r := range suite.Run(t.Context(), suite.NewEmulatedTarget(nil, ""), suite.Checks()) {
		if want, ok := map[string]int{"open": 0, "raise-and-read": 1, "order": 3, "overflow": 5, "pool-create-destroy": 4}[r.Name]; ok && len(r.Events) != want {
			t.Errorf("%s: got %d events, want %d", r.Name, len(r.Events), want)
		}
		if r.Asserts == "" || r.Source == "" {
			t.Errorf("%s lacks what it asserts or its source", r.Name)
		}
	}
}

func TestInterruptedRunSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for r := range suite.Run(ctx, suite.NewEmulatedTarget(nil, ""), suite.Checks()) {
		if r.Status != suite.Skip || !strings.Contains(r.Detail, "interrupted") {
			t.Errorf("%s: got %s: %s", r.Name, r.Status, r.Detail)
		}
	}
}

func TestImportedPools(t *testing.T) {
	kstat := fstest.MapFS{
		"arcstats":   {},
		"fm":         {},
		"vdev/stats": {},
		"tank/state": {Data: []byte("ONLINE\n")},
		"rpool/io":   {}, "rpool/state": {},
	}
	got, err := suite.ImportedPools(kstat)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"rpool", "tank"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := suite.ImportedPools(os.DirFS(filepath.Join(t.TempDir(), "none"))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no module: got error %v, want ErrNotExist", err)
	}
}

// TestDeviceTargetOnAnotherFile checks the parts that need no module: a file
// that is no device refuses ioctls, and the file of the vdev is removed.
func TestDeviceTargetOnAnotherFile(t *testing.T) {
	dir := t.TempDir()
	device := filepath.Join(t.TempDir(), "zfs")
	if err := os.WriteFile(device, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	target := suite.NewDeviceTarget(device, dir)
	if _, err := target.Raise(t.Context()); err == nil || !strings.Contains(err.Error(), "creating pool kmodaudit-") {
		t.Errorf("Raise: got error %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("Raise left %v (%v)", left, err)
	}
	if err := target.ProbeCleanupFD(); err == nil || errors.Is(err, syscall.EBADF) {
		t.Errorf("ProbeCleanupFD: got error %v", err)
	}
	if got := target.Describe(); !strings.HasPrefix(got, device+", OpenZFS ") {
		t.Errorf("Describe: got %q", got)
	}
}
