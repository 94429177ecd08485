// Package proc runs a program that takes long or prints much: all output goes
// to a log file, each line is also seen by a callback, a cancelled context ends
// the program with everything it started, and an error carries the end of the log.
package proc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	tailLines    = 15
	maxLineBytes = 64 << 10 // a longer line is cut in the tail and for OnLine, never in the log
	killDelay    = 3 * time.Second
)

// Command is a program to run.
type Command struct {
	Args []string // the program and its arguments
	Dir  string   // working directory, empty for the caller's
	Env  []string // added to the caller's environment
	Log  string   // file that receives stdout and stderr, appended to

	// OnLine is called for each line of output, and before that, with whole being false,
	// for a beginning of it that the program wrote by itself: "checking this... " may stand
	// for minutes. It may be nil.
	OnLine func(line string, whole bool)
}

// Error is a program that failed.
type Error struct {
	Args []string
	Log  string   // the whole output
	Tail []string // its last lines
	Err  error    // from os/exec, or the context's cause
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "running %s: %v", strings.Join(e.Args, " "), e.Err)
	for _, line := range e.Tail {
		fmt.Fprintf(&b, "\n    %s", line)
	}
	fmt.Fprintf(&b, "\n  the whole output is in %s", e.Log)
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Run runs c to its end. A program that exits non-zero, cannot start or is
// ended by ctx gives an *Error.
func Run(ctx context.Context, c Command) error {
	if err := os.MkdirAll(filepath.Dir(c.Log), 0o755); err != nil {
		return fmt.Errorf("making the folder of the log: %w", err)
	}
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	defer log.Close()
	fmt.Fprintf(log, "$ %s\n", strings.Join(c.Args, " "))

	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Env = c.Dir, append(os.Environ(), c.Env...)
	EndWithGroup(cmd)

	lines := &lineWriter{onLine: c.OnLine}
	out := io.MultiWriter(log, lines)
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	lines.flush()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		return nil
	}
	return &Error{Args: c.Args, Log: c.Log, Tail: lines.tail, Err: err}
}

// EndWithGroup makes a cancelled context end cmd and all that it started:
// SIGTERM to the process group, then SIGKILL. On Linux cmd also ends when this process is
// killed.
func EndWithGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
	cmd.WaitDelay = killDelay
	cmd.Cancel = func() error {
		group := -cmd.Process.Pid
		time.AfterFunc(killDelay, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
		err := syscall.Kill(group, syscall.SIGTERM)
		if errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return err
	}
}

// Tail returns the last lines of a text file, none if it cannot be read.
func Tail(file string) []string {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	if size, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, size-maxLineBytes), io.SeekStart)
	}
	lines := &lineWriter{}
	_, _ = io.Copy(lines, bufio.NewReader(f))
	lines.flush()
	return lines.tail
}

// lineWriter cuts what is written into lines and keeps the last ones.
type lineWriter struct {
	onLine func(line string, whole bool)
	line   []byte
	tail   []string
}

func (w *lineWriter) Write(p []byte) (int, error) {
	for _, c := range p {
		if c == '\n' {
			w.flush()
		} else if len(w.line) < maxLineBytes {
			w.line = append(w.line, c)
		}
	}
	if w.onLine != nil && len(w.line) > 0 {
		w.onLine(string(w.line), false)
	}
	return len(p), nil
}

func (w *lineWriter) flush() {
	line := strings.TrimRight(string(w.line), "\r")
	w.line = w.line[:0]
	if line == "" {
		return
	}
	if w.tail = append(w.tail, line); len(w.tail) > tailLines {
		w.tail = w.tail[1:]
	}
	if w.onLine != nil {
		w.onLine(line, true)
	}
}
