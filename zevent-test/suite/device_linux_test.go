package suite

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

func TestAsleepInNext(t *testing.T) {
	for text, want := range map[string]bool{
		fmt.Sprintf("%d 0x7 0x5a81 0xc000200000 0x0 0x0 0x0 0x7ffe 0x4a\n", unix.SYS_IOCTL): true,
		fmt.Sprintf("%d 0x7 0x5a82 0xc000200000 0x0 0x0 0x0 0x7ffe 0x4a\n", unix.SYS_IOCTL): false,
		fmt.Sprintf("%d 0x5a81 0x7 0x0 0x0 0x0 0x0 0x7ffe 0x4a\n", unix.SYS_FUTEX):          false,
		"running\n":              false,
		"-1 0x7ffe00 0x7f0000\n": false,
		"":                       false,
	} {
		if got := asleepInNext(text); got != want {
			t.Errorf("%q: got %t, want %t", text, got, want)
		}
	}
}

func TestSleepingReadsThisProcess(t *testing.T) {
	if readers, err := NewDeviceTarget(os.DevNull, "").Sleeping(); readers != 0 || err != nil {
		t.Errorf("got %d readers (%v), want none: nobody reads events here", readers, err)
	}
}

// refused is what a file that is no device answers.
var refused = []Answer{
	{zfscmd.EventsNext, syscall.ENOTTY}, {zfscmd.EventsSeek, syscall.ENOTTY}, {zfscmd.EventsClear, syscall.ENOTTY},
}

// TestMain lets this program be its own helper.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == HelperArgument {
		if err := Helper(os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestAnswersToCallers(t *testing.T) {
	for _, caller := range []Caller{WithoutCapability, NamespaceRoot} {
		target := NewDeviceTarget(os.DevNull, t.TempDir())
		target.Helper = "/proc/self/exe"
		got, err := target.AnswersTo(caller)
		if errors.Is(err, ErrNoCaller) {
			t.Logf("%s: %v", caller, err)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", caller, err)
		}
		if diff := cmp.Diff(refused, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", caller, diff)
		}
	}
}

func TestCapabilityComesBack(t *testing.T) {
	capabilities := func() string {
		text, err := os.ReadFile("/proc/thread-self/status")
		if err != nil {
			t.Skip(err)
		}
		_, after, _ := strings.Cut(string(text), "CapEff:")
		line, _, _ := strings.Cut(after, "\n")
		return line
	}
	before := capabilities()
	if _, err := NewDeviceTarget(os.DevNull, t.TempDir()).AnswersTo(WithoutCapability); err != nil {
		t.Fatal(err)
	}
	if after := capabilities(); after != before {
		t.Errorf("capabilities were %s, are %s", before, after)
	}
}

func TestNoHelperIsNoCaller(t *testing.T) {
	if _, err := NewDeviceTarget(os.DevNull, t.TempDir()).AnswersTo(NamespaceRoot); !errors.Is(err, ErrNoCaller) || !strings.Contains(err.Error(), "run zevent-test") {
		t.Errorf("got error %v", err)
	}
}
