package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRunLogsAndReportsLines(t *testing.T) {
	log := filepath.Join(t.TempDir(), "logs", "log")
	var lines []string
	err := Run(t.Context(), Command{
		Args: []string{"sh", "-c", `echo "one $WHO"; echo two >&2; printf three`}, Env: []string{"WHO=me"},
		Log: log, OnLine: func(line string, whole bool) {
			if whole {
				lines = append(lines, line)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one me", "two", "three"}, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if _, output, _ := strings.Cut(string(text), "\n"); output != "one me\ntwo\nthree" {
		t.Errorf("log holds %q", output)
	}
}

func TestRunReportsAnUnfinishedLine(t *testing.T) {
	type call struct {
		Line  string
		Whole bool
	}
	var calls []call
	lines := &lineWriter{onLine: func(line string, whole bool) { calls = append(calls, call{line, whole}) }}
	for _, part := range []string{"checking for it... ", "yes\nnext", "\n"} {
		if _, err := lines.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	want := []call{{"checking for it... ", false}, {"checking for it... yes", true}, {"next", false}, {"next", true}}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestRunFailureCarriesTheEndOfTheLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	err := Run(t.Context(), Command{Args: []string{"sh", "-c", "seq 100; exit 3"}, Log: log})
	var failed *Error
	if !errors.As(err, &failed) {
		t.Fatalf("Run returned %v, want an *Error", err)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("the error is %v, want exit status 3", err)
	}
	var want []string
	for i := 101 - tailLines; i <= 100; i++ {
		want = append(want, fmt.Sprint(i))
	}
	if diff := cmp.Diff(want, failed.Tail); diff != "" {
		t.Errorf("tail (-want +got):\n%s", diff)
	}
	if !strings.Contains(err.Error(), log) {
		t.Errorf("the error does not name the log: %v", err)
	}
}

func TestRunOfAMissingProgram(t *testing.T) {
	err := Run(t.Context(), Command{Args: []string{"no-such-program"}, Log: filepath.Join(t.TempDir(), "log")})
	if !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("Run returned %v, want %v", err, exec.ErrNotFound)
	}
}

// A cancelled run must end what the program started in the background, not only the program:
// the pipe below has its end only when the last of them is gone.
func TestCancelEndsTheWholeGroup(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	enough := errors.New("enough")
	err := Run(ctx, Command{
		Args:   []string{"sh", "-c", "sleep 1000 & echo started; wait"},
		Log:    filepath.Join(t.TempDir(), "log"),
		OnLine: func(string, bool) { cancel(enough) },
	})
	if !errors.Is(err, enough) {
		t.Errorf("Run returned %v, want the cause of the cancellation", err)
	}
}

func TestTail(t *testing.T) {
	file := filepath.Join(t.TempDir(), "console")
	text := strings.Repeat("x", 3*maxLineBytes) + "\r\nlast but one\r\n\r\nlast"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	got := Tail(file)
	if n := len(got); n != 3 || got[1] != "last but one" || got[2] != "last" {
		t.Errorf("Tail = %d lines, %.60q", n, got)
	}
	if got := Tail(filepath.Join(t.TempDir(), "none")); got != nil {
		t.Errorf("Tail of a missing file = %q", got)
	}
}
