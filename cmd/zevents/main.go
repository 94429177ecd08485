// Zevents prints, clears and records the events of ZFS, without libzfs. What it prints of
// a loaded module is what `zpool events` of the same release prints.
//
// It has a cursor of its own, so reading takes events from nobody. What the machine's
// readers share is the queue, which -c empties for all of them, and the count of events held
// back by rate limits, which goes to whoever reads first.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/kmodaudit/kmodaudit/zevent"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends a blocked write
	widen(os.Stdout)
	os.Exit(run(ctx, thisSystem(), os.Args[1:], os.Stdout, os.Stderr))
}

// system is what the commands take from the machine that they run on.
type system struct {
	open     func() (zevent.Device, error)
	module   func() (version string, err error)
	kernel   func() (release string, err error)
	location *time.Location // that events are printed in
	terminal bool           // standard output is one
	colors   bool           // and it shows colours
}

func thisSystem() system {
	terminal := term.IsTerminal(int(os.Stdout.Fd()))
	return system{
		open:     func() (zevent.Device, error) { return zevent.Open("/dev/zfs") },
		module:   func() (string, error) { return firstLine("/sys/module/zfs/version") },
		kernel:   func() (string, error) { return firstLine("/proc/sys/kernel/osrelease") },
		location: localZone(time.Local, os.Getenv("TZ"), os.Stderr),
		terminal: terminal,
		colors:   terminal && wantsColors(os.Getenv),
	}
}

func firstLine(name string) (string, error) {
	text, err := os.ReadFile(name)
	line, _, _ := strings.Cut(string(text), "\n")
	return line, err
}

// wantsColors follows https://no-color.org, and does without on a terminal that
// is none to speak of.
func wantsColors(getenv func(string) string) bool {
	terminal := getenv("TERM")
	return getenv("NO_COLOR") == "" && terminal != "" && terminal != "dumb"
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

// run returns the exit status: 0, or 2 if something could not be done.
func run(ctx context.Context, s system, args []string, stdout, stderr io.Writer) int {
	root := rootCommand(s)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "zevents:", err)
	var usage usageError
	if errors.As(err, &usage) {
		fmt.Fprintf(stderr, "usage: %s; see %s --help\n", cmd.UseLine(), cmd.CommandPath())
	}
	return 2
}
