package guest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kmodaudit/kmodaudit/cache"
)

func keptConfig(t *testing.T) Config {
	c := config(t)
	c.Modules, c.Programs = nil, c.Programs[:1]
	c.MemoryMiB, c.Cache = 1, cache.Dir(t.TempDir())
	return c
}

// started runs a guest and says how it came to run.
func started(t *testing.T, c Config) string {
	t.Helper()
	result, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(result.Programs[0].Stdout); !strings.HasPrefix(got, "seed of 32 bytes, payload of ") || !strings.HasSuffix(got, "\nwhat was lent\n") {
		t.Errorf("the guest said %q", got)
	}
	return result.Start.String()
}

const resumed = "resumed from a kernel booted earlier"

func TestRunResumes(t *testing.T) {
	monitoredQEMU(t, "")
	c := keptConfig(t)
	if got, want := started(t, c), "booted, since none was kept"; got != want {
		t.Errorf("the first was %s; want %s", got, want)
	}
	for range 2 {
		if got := started(t, c); got != resumed {
			t.Errorf("a later one was %s; want %s", got, resumed)
		}
	}
	other := c
	other.Programs = nil // what runs is not part of what is kept
	if result, err := Run(t.Context(), other); err != nil || !result.Start.Resumed {
		t.Errorf("one without programs: %+v, %v", result, err)
	}
	other = c
	other.Init = file(t, t.TempDir(), "guestinit", "another")
	if got := started(t, other); got == resumed {
		t.Error("one with another init was resumed")
	}
	other = c
	other.Cache = ""
	if got := started(t, other); got != "booted" {
		t.Errorf("one without a cache was %s", got)
	}
}

func TestKeep(t *testing.T) {
	monitoredQEMU(t, "")
	c := keptConfig(t)
	unprepared := c
	unprepared.Programs = nil
	for _, had := range []bool{false, true} {
		if got, err := Keep(t.Context(), unprepared); got != had || err != nil {
			t.Errorf("Keep = %v, %v; want %v", got, err, had)
		}
	}
	if got := started(t, c); got != resumed {
		t.Errorf("a guest with programs was %s", got)
	}
	c.Cache = ""
	if had, err := Keep(t.Context(), c); had || err != nil {
		t.Errorf("without a cache: %v, %v", had, err)
	}
	monitoredQEMU(t, refusesMigrate)
	c = keptConfig(t)
	had, err := Keep(t.Context(), c)
	if kept := keptOf(t, c); had || err != nil || len(kept) > 0 {
		t.Errorf("%s: Keep = %v, %v, and %v is kept", refusesMigrate, had, err, kept)
	}
	fakeQEMU(t, panicConsole, "")
	c = keptConfig(t)
	had, err = Keep(t.Context(), c)
	if failed, ok := errors.AsType[*Error](err); had || !ok || !strings.Contains(failed.What, "its kernel panicked before its init ran") {
		t.Errorf("of a kernel that panics: Keep = %v, %v", had, err)
	}
}

// What is damaged is said, booted instead, and kept anew.
func TestRunOfDamage(t *testing.T) {
	monitoredQEMU(t, "")
	for name, damage := range damages {
		c := keptConfig(t)
		started(t, c)
		kept := keptOf(t, c)
		if len(kept) != 1 {
			t.Fatalf("%v is kept, want one", kept)
		}
		if err := damage(filepath.Dir(kept[0])); err != nil {
			t.Fatal(err)
		}
		if got := started(t, c); !strings.HasPrefix(got, "booted, since the one that was kept was not accepted: ") {
			t.Errorf("%s: it was %s", name, got)
		}
		if got := started(t, c); got != resumed {
			t.Errorf("%s: the one after it was %s", name, got)
		}
	}
}

func TestRunOfWhatQEMURefuses(t *testing.T) {
	for fault, want := range map[string]string{
		refusesDevices: "error while loading state for instance 0x0 of device 'ram'",
		runsByItself:   "QEMU ended up in state internal-error",
	} {
		monitoredQEMU(t, "")
		c := keptConfig(t)
		started(t, c)
		t.Setenv(faultEnv, fault)
		if got := started(t, c); !strings.HasPrefix(got, "booted, since the one that was kept was not accepted: ") || !strings.Contains(got, want) {
			t.Errorf("%s: it was %s", fault, got)
		}
		t.Setenv(faultEnv, "")
		if got := started(t, c); got != resumed { // the one that was booted
			t.Errorf("%s: the one after it was %s", fault, got)
		}
	}
}

// Where a machine cannot be kept, the guest runs all the same.
func TestRunOfWhatCannotBeKept(t *testing.T) {
	for fault, want := range map[string]string{
		refusesMigrate: "booted, since keeping one failed: QEMU refused migrate: State blocked",
		failsToMigrate: "booted, since keeping one failed: QEMU could not write the state of its devices: no space left",
		diesMigrating:  "booted, since keeping one failed: asking QEMU for migrate: unexpected EOF",
		endlessDevices: "booted, since keeping one failed: ",
		deafMonitor:    "booted, since keeping one failed: connecting to QEMU's monitor: ",
	} {
		monitoredQEMU(t, fault)
		c := keptConfig(t)
		if got := started(t, c); !strings.HasPrefix(got, want) {
			t.Errorf("%s: it was %s", fault, got)
		}
		if kept := keptOf(t, c); len(kept) > 0 {
			t.Errorf("%s: %v is kept", fault, kept)
		}
	}
	monitoredQEMU(t, "")
	c := keptConfig(t)
	c.Cache = cache.Dir(filepath.Join(c.Kernel, "cache")) // below a file
	if got := started(t, c); !strings.HasPrefix(got, "booted, since keeping one failed: ") {
		t.Errorf("without a directory: it was %s", got)
	}
}

func TestRunCancelledWhileKeeping(t *testing.T) {
	monitoredQEMU(t, migratesOn)
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped by the user")
	c := keptConfig(t)
	time.AfterFunc(300*time.Millisecond, func() { cancel(stopped) })
	if _, err := Run(ctx, c); !errors.Is(err, stopped) {
		t.Errorf("Run returned %v, want the cause of the cancellation", err)
	}
	if kept := keptOf(t, c); len(kept) > 0 {
		t.Errorf("%v is kept", kept)
	}
}

// runnerEnv has this test's binary run a guest that is described by a directory.
const runnerEnv = "KMODAUDIT_TEST_RUNNER"

func runnerConfig(dir string) Config {
	at := func(name string) string { return filepath.Join(dir, name) }
	return Config{
		Kernel: at("vmlinuz"), Init: at("guestinit"), Programs: []Program{{File: at("zevent-test")}},
		Dir: dir, Cache: cache.Dir(at("cache")), MemoryMiB: 1, Timeout: time.Minute,
	}
}

func beRunner() {
	if _, err := Run(context.Background(), runnerConfig(os.Getenv(runnerEnv))); err != nil {
		os.Exit(1)
	}
}

// A run that is killed while it keeps a machine leaves nothing that a later one would take for whole, and no QEMU.
func TestRunAfterOneThatWasKilled(t *testing.T) {
	monitoredQEMU(t, migratesOn)
	dir := t.TempDir()
	for _, name := range []string{"vmlinuz", "guestinit", "zevent-test"} {
		file(t, dir, name, "")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	killed := exec.Command(self)
	killed.Env = append(os.Environ(), runnerEnv+"="+dir)
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	c := runnerConfig(dir)
	for len(begun(t, c)) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	_ = killed.Process.Kill()
	_ = killed.Wait()
	partial := filepath.Join(begun(t, c)[0], keptMemory)
	if err := os.WriteFile(partial, []byte("half"), 0o644); err != nil { // had it come so far
		t.Fatal(err)
	}
	t.Setenv(faultEnv, "")
	if got := started(t, c); got != "booted, since none was kept" {
		t.Errorf("the next was %s", got)
	}
	if got := started(t, c); got != resumed {
		t.Errorf("the one after it was %s", got)
	}
}

// begun returns the directories of machines that are kept or about to be.
func begun(t *testing.T, c Config) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(string(c.Cache), keptStep+"-*[0-9a-f]"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}
