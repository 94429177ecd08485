package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/cache"
	"github.com/kmodaudit/kmodaudit/endtoend"
	"github.com/kmodaudit/kmodaudit/guest"
	"github.com/kmodaudit/kmodaudit/guest/wire"
	"github.com/kmodaudit/kmodaudit/measure"
)

// round takes a sample of each, with nothing kept at first.
func (p *page) round(ctx context.Context, ground *endtoend.Ground, kept cache.Dir, log io.Writer) error {
	empty, err := emptyInit(ctx, ground.Guest)
	if err != nil {
		return fmt.Errorf("an empty init: %w", err)
	}
	p.Empty = append(p.Empty, empty)
	g := *ground
	g.Guest.Cache = kept
	booted, err := verdict(ctx, &g, false)
	if err != nil {
		return fmt.Errorf("booted: %w", err)
	}
	p.Booted = append(p.Booted, booted)
	resumed, err := verdict(ctx, &g, true)
	if err != nil {
		return fmt.Errorf("resumed: %w", err)
	}
	p.Resumed = append(p.Resumed, resumed)
	_, err = fmt.Fprintf(log, "empty init %.1f s, booted %.1f s, resumed %.1f s\n", empty.Wall.Seconds(), booted.Wall.Seconds(), resumed.Wall.Seconds())
	return err
}

// emptyInit measures up to the first record, and the processor up to the end, since there is nothing in between.
func emptyInit(ctx context.Context, c guest.Config) (measure.Sample, error) {
	dir := filepath.Join(c.Dir, "empty")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return measure.Sample{}, err
	}
	c.Dir, c.Cache, c.Modules, c.Programs = dir, "", nil, nil
	var s measure.Sample
	start := time.Now()
	c.OnRecord = func(r wire.Record) {
		if r.Kind == wire.Booted {
			s.Wall = time.Since(start)
		}
	}
	var err error
	s.CPU, err = processor(func() error {
		_, err := guest.Run(ctx, c)
		return err
	})
	return s, err
}

// verdict measures both guests, up to the end of the later, which must have begun as it is measured, and have passed.
func verdict(ctx context.Context, g *endtoend.Ground, resumed bool) (measure.Sample, error) {
	var s measure.Sample
	var guests []*guest.Result
	var err error
	start := time.Now()
	s.CPU, err = processor(func() error {
		guests, err = g.Boot(ctx, nil)
		s.Wall = time.Since(start)
		return err
	})
	if err != nil {
		return s, err
	}
	if first := guests[0].Start; first.Resumed != resumed {
		return s, fmt.Errorf("the guest was %s", first)
	}
	var failed error
	for _, g := range guests {
		for _, program := range g.Programs {
			if program.ExitCode != 0 {
				failed = errors.Join(failed, fmt.Errorf("a program ended with status %d: %s", program.ExitCode, program.Stderr))
			}
		}
	}
	return s, failed
}

// processor returns the processor time of the processes that do starts and waits for.
func processor(do func() error) (time.Duration, error) {
	before, err := children()
	if err != nil {
		return 0, err
	}
	if err := do(); err != nil {
		return 0, err
	}
	after, err := children()
	return after - before, err
}

func children() (time.Duration, error) {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_CHILDREN, &usage); err != nil {
		return 0, os.NewSyscallError("getrusage", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}
