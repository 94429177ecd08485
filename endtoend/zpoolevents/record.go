package zpoolevents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kmodaudit/kmodaudit/endtoend"
	"github.com/kmodaudit/kmodaudit/guest"
	"github.com/kmodaudit/kmodaudit/guest/wire"
	"github.com/kmodaudit/kmodaudit/progress"
	"github.com/kmodaudit/kmodaudit/zevent"
)

// Config says what to run on. Cache, Source, Release, Out and Progress are as those of endToEnd, Out without its limits.
type Config struct {
	endtoend.Config
	Recording string // directory that receives the pair, made if there is none
}

// Names of the pair's files, below Config.Recording.
const (
	RecordingName = "events.zevents.zst"
	VerboseName   = "zpool-events-v.txt.zst"
	ScriptedName  = "zpool-events-H.txt.zst"
)

// Result is what a guest printed, and how it compares.
type Result struct {
	Release zevent.Release // of the module
	Kernel  string         // release
	Events  int            // in the recording
	Raised  map[string]int // events of each class
	Missing []Class        // of the release that were not posted
	Unknown []string       // classes that were posted and are not those of the release
	Prints  []Comparison
}

// Comparison is one print of both.
type Comparison struct {
	Print
	Recorded   bool // zevents printed the recording, on this machine; else the module's queue, in the guest
	Bytes      int  // of zpool's text
	Difference *Difference
}

// Same reports whether everything was printed alike.
func (r *Result) Same() bool {
	return !slices.ContainsFunc(r.Prints, func(c Comparison) bool { return c.Difference != nil })
}

// Print is a command line of zpool events and of zevents.
type Print struct {
	Zone string // TZ; empty for none, which is the zone of the system
	Args string // with spaces between
}

func (p Print) String() string {
	command := strings.TrimSpace("zpool events " + p.Args)
	if p.Zone == "" {
		return command
	}
	return "TZ=" + p.Zone + " " + command
}

const utc = "UTC"

// The first two are those of the pair. The zones are the guest's own; one by name; by rules, in quotes among them, with summer on
// either half of the year; and none, for which the C library takes UTC.
var prints = []Print{
	{utc, "-v"},
	{utc, "-H"},
	{"", ""},
	{utc, "-vH tank"},
	{"Asia/Tokyo", "-H"},
	{"CET-1CEST,M3.5.0,M10.5.0/3", "-H"},
	{"EST5EDT4,M11.1.0,M12.1.0", "-H"},
	{"<+0330>-3:30", "-v tank"},
	{"Nowhere/At_All", "-H"},
}

const (
	guestTimeout   = 40 * time.Minute // many times what a translated guest takes on two cores
	guestMemoryMiB = 2048             // most of it for the pools' files
)

// Record runs the guest, compares and writes the pair. A difference is no error, but then no pair is written.
func Record(ctx context.Context, c Config) (*Result, error) {
	ground, err := endtoend.Prepare(ctx, c.Config)
	if err != nil {
		return nil, err
	}
	root, err := c.userland(ctx, ground.Module.Version)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(c.Out, "zpoolevents")
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return nil, fmt.Errorf("making the output directory: %w", err)
	}
	programs, err := compile(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := bundle(programs, root); err != nil {
		return nil, fmt.Errorf("packing the guest's programs: %w", err)
	}
	if err := boot(ctx, ground, c.Progress, programs.raise, dir); err != nil {
		return nil, err
	}
	result, err := readResult(ctx, dir, programs.zevents)
	if err != nil || !result.Same() {
		return result, err
	}
	return result, writePair(c.Recording, dir)
}

// boot runs raise in the guest and keeps what it sent in dir.
func boot(ctx context.Context, ground *endtoend.Ground, report progress.Func, raise, dir string) error {
	c := ground.Guest
	c.Dir, c.Timeout, c.MemoryMiB = dir, guestTimeout, guestMemoryMiB
	c.Cache = "" // a machine with that much memory is not worth keeping
	program := guest.Program{File: raise}
	for _, p := range prints {
		program.Args = append(program.Args, "-print", p.Zone+" "+p.Args)
	}
	c.Programs = []guest.Program{program}
	var result *guest.Result
	err := report.Step(fmt.Sprintf("boot Linux %s and raise events", ground.Kernel.Release), func(event func(progress.Event)) error {
		c.OnRecord = func(r wire.Record) {
			for line := range strings.SplitSeq(r.Text, "\n") {
				if step, ok := strings.CutPrefix(line, "--- "); ok && r.Kind == wire.Stderr {
					event(progress.Event{Detail: step})
				}
			}
		}
		var err error
		result, err = guest.Run(ctx, c)
		return err
	})
	if err != nil {
		return err
	}
	output := result.Programs[0]
	log := filepath.Join(dir, "raise.log")
	if err := os.WriteFile(log, output.Stderr, 0o644); err != nil {
		return fmt.Errorf("keeping the guest's output: %w", err)
	}
	if output.ExitCode != 0 {
		lines := strings.Split(strings.TrimSpace(string(output.Stderr)), "\n")
		return fmt.Errorf("raising events in the guest: status %d: %s; what it did is in %s", output.ExitCode, lines[len(lines)-1], log)
	}
	return receive(output.Stdout, dir)
}
