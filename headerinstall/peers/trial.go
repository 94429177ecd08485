package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/kmodaudit/kmodaudit/measure"
)

// A trial is what was measured on a bench.
type trial struct {
	FileSystem string
	Tree       extent
	Rounds     int
	Rows       []row // one for each tool
}

// A row is what was measured of one tool.
type row struct {
	Tool    string
	samples [scenarios][]measure.Sample // by round
}

// try measures the tools.
func (b *bench) try(ctx context.Context, tools []tool, rounds int, log io.Writer) (trial, error) {
	t := trial{FileSystem: b.fs, Tree: b.size, Rounds: rounds}
	for _, tool := range tools {
		if tool.prepare != nil {
			if err := tool.prepare(ctx, b); err != nil {
				return t, fmt.Errorf("preparing %s: %w", tool.Name, err)
			}
		}
		if _, err := b.run(ctx, tool, first); err != nil { // so that its program and libraries are in memory
			return t, err
		}
		t.Rows = append(t.Rows, row{Tool: tool.Name})
	}
	for round := range rounds {
		fmt.Fprintf(log, "%s, %d headers: round %d of %d\n", b.fs, b.size.Headers, round+1, rounds)
		for s := range scenarios {
			for i := range tools {
				n := (i + round) % len(tools)
				sample, err := b.run(ctx, tools[n], s)
				if err != nil {
					return t, err
				}
				t.Rows[n].samples[s] = append(t.Rows[n].samples[s], sample)
			}
		}
	}
	return t, nil
}

// row returns that of a tool, which is empty if it was not measured.
func (t trial) row(tool string) row {
	i := slices.IndexFunc(t.Rows, func(r row) bool { return r.Tool == tool })
	if i < 0 {
		return row{}
	}
	return t.Rows[i]
}

// all returns the samples of all scenarios.
func (r row) all() []measure.Sample { return slices.Concat(r.samples[:]...) }

// A place is a directory to measure on, and what trees are made of there.
type place struct {
	dir   string
	from  fs.FS    // directory of real headers
	names []string // of those
	log   io.Writer
}

// try makes a bench for a trial.
func (p place) try(ctx context.Context, tools []tool, headers, rounds int) (trial, error) {
	return p.withBench(headers, func(b *bench) (trial, error) { return b.try(ctx, tools, rounds, p.log) })
}

// tryLarge makes a trial with a large header besides the first of sizes.
func (p place) tryLarge(ctx context.Context, tools []tool, rounds int) (trial, error) {
	return p.withBench(sizes[0], func(b *bench) (trial, error) {
		if err := b.addLarge(); err != nil {
			return trial{}, err
		}
		return b.try(ctx, tools, rounds, p.log)
	})
}

func (p place) withBench(headers int, do func(*bench) (trial, error)) (trial, error) {
	dir, err := os.MkdirTemp(p.dir, "headers-benchmark-")
	if err != nil {
		return trial{}, err
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.Abs(dir); err != nil {
		return trial{}, err
	}
	b, err := newBench(dir, p.from, scaled(p.names, headers))
	if err != nil {
		return trial{}, err
	}
	return do(b)
}
