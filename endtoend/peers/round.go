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
	boot, err := keep(ctx, g.Guest)
	if err != nil {
		return fmt.Errorf("the boot: %w", err)
	}
	guests, err := verdict(ctx, &g)
	if err != nil {
		return fmt.Errorf("the guests: %w", err)
	}
	p.Guests = append(p.Guests, guests)
	p.BootedFirst = append(p.BootedFirst, measure.Sample{Wall: boot.Wall + guests.Wall, CPU: boot.CPU + guests.CPU})
	_, err = fmt.Fprintf(log, "empty init %.1f s, boot %.1f s, guests %.1f s\n", empty.Wall.Seconds(), boot.Wall.Seconds(), guests.Wall.Seconds())
	return err
}

// keep measures the boot of a machine that is kept.
func keep(ctx context.Context, c guest.Config) (measure.Sample, error) {
	var s measure.Sample
	start := time.Now()
	var err error
	s.CPU, err = processor(func() error {
		had, err := guest.Keep(ctx, c)
		s.Wall = time.Since(start)
		if had && err == nil {
			err = errors.New("one was kept already")
		}
		return err
	})
	return s, err
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

// verdict measures both guests, up to the end of the later, which must have been resumed and have passed.
func verdict(ctx context.Context, g *endtoend.Ground) (measure.Sample, error) {
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
	var failed error
	for _, g := range guests {
		if !g.Start.Resumed {
			return s, fmt.Errorf("a guest was %s", g.Start)
		}
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
