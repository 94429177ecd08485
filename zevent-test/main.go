package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/kmodaudit/kmodaudit/version"
	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent-test/suite"
)

//go:embed doc.go
var docSource string

const (
	exitClean    = 0
	exitFindings = 1
	exitCannot   = 2
)

func main() {
	// A signal lets the check under way destroy its pool.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	switch {
	case slices.Equal(args, []string{suite.HelperArgument}):
		return runHelper(stdout, stderr)
	case slices.Equal(args, []string{"--version"}):
		fmt.Fprintln(stdout, "zevent-test version", version.String())
		return exitClean
	}
	o, err := parseOptions(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage())
		return exitClean
	}
	failed := false
	if err == nil {
		failed, err = check(ctx, o, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "zevent-test: %v\n", err)
		return exitCannot
	}
	if failed {
		return exitFindings
	}
	return exitClean
}

// runHelper is what a check has this program do in a process of its own.
func runHelper(stdout, stderr io.Writer) int {
	if err := suite.Helper(stdout); err != nil {
		fmt.Fprintf(stderr, "zevent-test: %v\n", err)
		return exitCannot
	}
	return exitClean
}

// usage is the comment of doc.go.
func usage() string {
	_, text, _ := strings.Cut(docSource, "/*\n")
	text, _, _ = strings.Cut(text, "*/")
	return text
}

type options struct {
	device, from, dir, format string
	emulate, list, verbose    bool
	withPools                 int // how often it was said
	run                       *regexp.Regexp
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("zevent-test", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.device, "device", "", "")
	flags.BoolVar(&o.emulate, "emulate", false, "")
	flags.StringVar(&o.from, "from", "", "")
	flags.StringVar(&o.dir, "dir", os.TempDir(), "")
	flags.BoolFunc("with-pools", "", func(string) error { o.withPools++; return nil })
	expression := flags.String("run", "", "")
	flags.BoolVar(&o.list, "list", false, "")
	flags.StringVar(&o.format, "format", "text", "")
	flags.BoolVar(&o.verbose, "v", false, "")
	if err := flags.Parse(args); err != nil {
		return o, fmt.Errorf("%w; see zevent-test -h", err)
	}
	var err error
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q; see zevent-test -h", flags.Arg(0))
	case o.device != "" && o.emulate:
		return o, errors.New("--device and --emulate exclude each other; choose one")
	case o.device == "" && !o.emulate && !o.list:
		return o, errors.New("choose --emulate or --device /dev/zfs; the latter clears the event queue of this machine for every reader")
	case o.from != "" && !o.emulate:
		return o, errors.New("--from needs --emulate: recorded events cannot be raised in a module")
	case o.verbose && o.format != "text":
		return o, errors.New("-v goes with --format text; json and junit hold every pair anyway")
	case !knownFormat(o.format):
		return o, fmt.Errorf("unknown --format %q; choose text, tap, json or junit", o.format)
	}
	if o.run, err = regexp.Compile(*expression); err != nil {
		return o, fmt.Errorf("--run: %w", err)
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return o, fmt.Errorf("--dir: %w", err)
	}
	return o, nil
}

// check runs the chosen checks and prints their results. The error says why
// they could not run.
func check(ctx context.Context, o options, stdout io.Writer) (failed bool, err error) {
	checks := suite.Matching(suite.Checks(), o.run)
	if len(checks) == 0 {
		return false, fmt.Errorf("--run %q finds no check; see zevent-test --list", o.run)
	}
	if o.list {
		return false, printList(stdout, checks)
	}
	target, err := chooseTarget(o)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	if err := suite.Preflight(target); err != nil {
		return false, err
	}
	out := newPrinter(o.format, o.verbose, stdout)
	if err := out.start(target.Describe(), len(checks)); err != nil {
		return false, err
	}
	var summary suite.Summary
	for r := range suite.Run(ctx, target, checks) {
		summary.Add(r)
		if err := out.result(r); err != nil {
			return false, err
		}
	}
	if err := out.end(summary); err != nil {
		return false, err
	}
	if ctx.Err() != nil {
		return false, errors.New("interrupted; not every check ran")
	}
	return summary.Fail > 0, nil
}

// saidTwice is how often --with-pools is to be said: what it allows is not what one wants on a
// machine in use.
const saidTwice = 2

// ownFile is this program, wherever it was started from.
const ownFile = "/proc/self/exe"

func chooseTarget(o options) (suite.Target, error) {
	if o.emulate {
		return emulatedTarget(o.from)
	}
	target, err := suite.OpenDevice(o.device, o.dir, o.withPools >= saidTwice)
	if err != nil {
		return nil, err
	}
	target.Helper = ownFile
	return target, nil
}

func emulatedTarget(from string) (suite.Target, error) {
	if from == "" {
		return suite.NewEmulatedTarget(nil, ""), nil
	}
	f, err := os.Open(from)
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	defer f.Close()
	r, err := zevent.NewRecordingReader(f, from)
	if err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	var events []zevent.Event
	for r.Scan() {
		e, err := r.Event()
		if err != nil {
			return nil, fmt.Errorf("--from: %w", err)
		}
		events = append(events, e)
	}
	h := r.Header()
	origin := fmt.Sprintf("%s (OpenZFS %q, Linux %q)", from, h.Module, h.Kernel)
	return suite.NewEmulatedTarget(events, origin), r.Err()
}
