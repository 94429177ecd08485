package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
)

// crashAfter names the variable by which this test's program is a recorder of the
// emulated module that is killed about when it has read so many events.
const crashAfter = "ZEVENTS_TEST_CRASH_AFTER"

// recordAndCrash is that recorder. The signal comes from another thread, and finds
// the recorder where it is. One that ends before it comes waits for it: where a
// processor is short the thread may be late.
func recordAndCrash(tb testing.TB, after int, name string) int {
	s := emulated(played(tb))
	c := &crashing{after: after}
	open := s.open
	s.open = func() (zevent.Device, error) {
		device, err := open()
		c.Descriptor = device.(*emulator.Descriptor)
		return c, err
	}
	code := run(tb.Context(), s, []string{"record", "-o", name}, os.Stdout, os.Stderr)
	if code == 0 && c.after <= 0 {
		select {}
	}
	return code
}

type crashing struct {
	*emulator.Descriptor
	after int // calls of Next until the signal is sent, from 1
}

func (c *crashing) Next(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
	if c.after--; c.after == 0 {
		go func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) }()
	}
	return c.Descriptor.Next(buf, flags)
}

// TestCrashingRecorder is no test but that program, which TestKilledRecorder runs.
func TestCrashingRecorder(t *testing.T) {
	after, err := strconv.Atoi(os.Getenv(crashAfter))
	if err != nil {
		return
	}
	os.Exit(recordAndCrash(t, after, os.Getenv(crashAfter+"_FILE")))
}

// A recorder that is killed again and again loses no event, repeats none, and
// leaves a recording that another recorder goes on with.
func TestKilledRecorder(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	want := printed(t, filepath.Join(recordedDir, "events.zevents"))
	left := t.TempDir() // what testscript makes, and does not remove when it is killed
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 8 {
		name := filepath.Join(t.TempDir(), "x.zevents")
		kills := 0
		for try := 0; ; try++ {
			if try == 200 {
				t.Fatal("the recorder does not come to its end")
			}
			// Passing what is recorded reads each event once more.
			after := 1 + try*20 + random.IntN(60)
			cmd := exec.Command(program, "-test.run=^TestCrashingRecorder$")
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", crashAfter, after), crashAfter+"_FILE="+name, "TMPDIR="+left)
			out, err := cmd.CombinedOutput()
			if err == nil {
				break
			}
			if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
				t.Fatalf("the recorder ended with %v:\n%s", err, out)
			}
			kills++
			checkWholeLines(t, name)
		}
		if diff := cmp.Diff(want, printed(t, name)); diff != "" {
			t.Fatalf("round %d, after %d kills (-want +got):\n%s", round, kills, diff)
		}
		if kills == 0 {
			t.Errorf("round %d: no recorder was killed", round)
		}
		t.Logf("round %d: %d kills", round, kills)
	}
}

// printed is all that is to be told from a recording.
func printed(t *testing.T, name string) string {
	t.Helper()
	text, _ := do(t, emulated(newQueue()), 0, "-vH", "--from", name)
	return text
}

// checkWholeLines: what was written before a kill is readable but for a torn line at the end.
func checkWholeLines(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		return // killed before it was made
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	if len(text) == 0 {
		return
	}
	whole := filepath.Join(t.TempDir(), "whole.zevents")
	write(t, whole, string(text))
	do(t, emulated(newQueue()), 0, "--from", whole)
}

// A machine that goes down may leave any part of the recording. From each the next recorder
// makes the same.
func TestCutAtEveryByte(t *testing.T) {
	q := newQueue()
	s := emulated(q)
	name := filepath.Join(t.TempDir(), "x.zevents")
	post(t, q, "one")
	post(t, q, "two", ofPool("tank"))
	do(t, s, 0, "record", "-o", name)
	want := readFile(t, name)
	for cut := range len(want) {
		write(t, name, string(want[:cut]))
		_, said := do(t, s, 0, "record", "-o", name)
		if diff := cmp.Diff(want, readFile(t, name)); diff != "" {
			t.Fatalf("cut at byte %d (-want +got):\n%s", cut, diff)
		}
		whole := cut == 0 || want[cut-1] == '\n'
		if removed := strings.Contains(said, "a line that was not finished"); removed == whole {
			t.Errorf("cut at byte %d: said %q", cut, said)
		}
	}
}
