// Peers measures `kmodaudit headers install` beside what else installs headers: cp, rsync, install, CMake and
// Meson. It is a chore of this project, run by its Mage target benchHeaders, and not for users.
//
//   - A tree is a directory of headers that is installed from. It is made, of a given number of headers, from a
//     directory of real ones, and is the same whenever it is made from the same.
//   - A place is a directory on the file system that a tree is made on, and installed to.
//   - A scenario is what a tool finds when it is run: nothing, what it installed before, or that with one header changed
//     in the tree.
//   - A sample is one run of a tool in a scenario: a whole process, from its start to its end.
//   - A round is one sample of each tool in each scenario. In a scenario the tools run one after the other, so that
//     what slows the machine down slows down several; each round begins with another tool.
//   - A ratio is that of two samples of one round.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/kmodaudit/kmodaudit/measure"
)

func main() { measure.Main(makePage) }

func makePage(ctx context.Context, args []string, log io.Writer) (measure.Page, error) {
	o, err := parseOptions(args, log)
	if err != nil {
		return measure.Page{}, err
	}
	p, err := o.makePage(ctx, log)
	if err != nil {
		return measure.Page{}, err
	}
	text, err := p.markdown()
	return measure.Page{Text: text, File: o.out}, err
}

// sizes are how many headers the trees have.
var sizes = []int{3_000, 30_000}

type options struct {
	tree   string   // directory of real headers
	places []string // directories
	out    string   // file; empty for stdout
	rounds int      // with the first of sizes; a third of them with the others
	slow   bool     // run slow tools with all of sizes
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.tree, "tree", "", "`directory` of headers, such as a kernel's include/")
	flags.Func("on", "`directory` on a file system to measure on; may be repeated", func(dir string) error {
		o.places = append(o.places, dir)
		return nil
	})
	flags.StringVar(&o.out, "o", "", "`file` for the page (default standard output)")
	flags.IntVar(&o.rounds, "rounds", 9, fmt.Sprintf("rounds with %d headers; with more headers a third of them", sizes[0]))
	flags.BoolVar(&o.slow, "slow", false, "run install -D, a process for each header, with all sizes of trees")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q; see -h", flags.Arg(0))
	case o.tree == "":
		return o, errors.New("no headers given; name a directory of them by -tree, such as a kernel's include/")
	case len(o.places) == 0:
		return o, errors.New("no place to measure on given; name one by -on, such as /dev/shm")
	case o.rounds < 1:
		return o, fmt.Errorf("cannot run %d rounds; give 1 or more", o.rounds)
	}
	return o, nil
}

func (o options) roundsWith(headers int) int {
	if headers == sizes[0] {
		return o.rounds
	}
	return max(1, o.rounds/3)
}

// makePage makes the trials of all places.
func (o options) makePage(ctx context.Context, log io.Writer) (page, error) {
	from := os.DirFS(o.tree)
	names, err := headerNames(from)
	if err != nil {
		return page{}, fmt.Errorf("reading the headers of %s: %w; name a directory of headers by -tree", o.tree, err)
	}
	if len(names) == 0 {
		return page{}, fmt.Errorf("%s holds no header (*.h); name a directory of headers by -tree", o.tree)
	}
	dir, err := os.MkdirTemp("", "headers-benchmark-")
	if err != nil {
		return page{}, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "kmodaudit")
	if err := measure.Build(ctx, "github.com/kmodaudit/kmodaudit/cmd/kmodaudit", binary); err != nil {
		return page{}, err
	}
	present, absent := onThisMachine(peers())
	p := page{Absent: absent, Slow: o.slow}
	if p.Machine, err = measure.ThisMachine(ctx, programs(present)); err != nil {
		return page{}, err
	}
	for i, dir := range o.places {
		on := place{dir, from, names, log}
		trials, err := o.tryAll(ctx, on, append(ours(binary), present...))
		if err != nil {
			return page{}, fmt.Errorf("measuring on %s: %w", dir, err)
		}
		p.Trials = append(p.Trials, trials...)
		if i > 0 { // memory does not depend on the file system
			continue
		}
		large, err := on.tryLarge(ctx, ours(binary), o.rounds)
		if err != nil {
			return page{}, fmt.Errorf("measuring memory on %s: %w", dir, err)
		}
		p.Memory = append(trials, large)
	}
	return p, nil
}

// tryAll makes a trial for each size of trees.
func (o options) tryAll(ctx context.Context, on place, tools []tool) ([]trial, error) {
	var trials []trial
	for _, headers := range sizes {
		chosen := slices.DeleteFunc(slices.Clone(tools), func(t tool) bool {
			return t.slow && !o.slow && headers > sizes[0]
		})
		t, err := on.try(ctx, chosen, headers, o.roundsWith(headers))
		if err != nil {
			return nil, err
		}
		trials = append(trials, t)
	}
	return trials, nil
}

// programs are what the tools need in the first place.
func programs(tools []tool) (names []string) {
	for _, t := range tools {
		if len(t.needs) > 0 {
			names = append(names, t.needs[0])
		}
	}
	return names
}
