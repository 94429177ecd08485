// Peers measures what endToEnd's guests take beside an empty init. It is a chore of this project, run by its Mage target benchGuest, and
// not for users.
//
//   - The peer is a guest of the same kernel, init and options that has nothing to do: no modules, no programs.
//   - A round is one sample of the peer, of the boot of a machine that is kept, and of the guests that are resumed from it.
//   - A ratio is that of two samples of a round.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/kmodaudit/kmodaudit/cache"
	"github.com/kmodaudit/kmodaudit/endtoend"
	"github.com/kmodaudit/kmodaudit/guest"
	"github.com/kmodaudit/kmodaudit/measure"
)

func main() { measure.Main(makePage) }

func makePage(ctx context.Context, args []string, log io.Writer) (measure.Page, error) {
	o, err := parseOptions(args, log)
	if err != nil {
		return measure.Page{}, err
	}
	p, err := o.measure(ctx, log)
	if err != nil {
		return measure.Page{}, err
	}
	text, err := p.markdown()
	return measure.Page{Text: text, File: o.out}, err
}

type options struct {
	config endtoend.Config
	out    string // file; empty for stdout
	rounds int
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar((*string)(&o.config.Cache), "cache", "", "`directory` with what endToEnd has made")
	flags.StringVar(&o.config.Source, "source", "", "`directory` with OpenZFS's source (default the distribution's)")
	flags.StringVar(&o.config.Release, "kernel", "", "`release` of the kernel (default the distribution's)")
	flags.StringVar(&o.config.Out, "on", "", "`directory` to run in (default the system's for temporary files)")
	flags.StringVar(&o.out, "o", "", "`file` for the page (default standard output)")
	flags.IntVar(&o.rounds, "rounds", 5, "rounds")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q; see -h", flags.Arg(0))
	case o.config.Cache == "":
		return o, errors.New("no cache given; name the one of endToEnd by -cache")
	case o.rounds < 1:
		return o, fmt.Errorf("cannot run %d rounds; give 1 or more", o.rounds)
	}
	return o, nil
}

// measure prepares the guests as endToEnd does, and holds the rounds.
func (o options) measure(ctx context.Context, log io.Writer) (page, error) {
	dir, err := os.MkdirTemp(o.config.Out, "guest-benchmark-")
	if err != nil {
		return page{}, err
	}
	defer os.RemoveAll(dir)
	o.config.Out = dir
	ground, err := endtoend.Prepare(ctx, o.config)
	if err != nil {
		return page{}, err
	}
	qemu, err := guest.Emulator()
	if err != nil {
		return page{}, err
	}
	p := page{Rounds: o.rounds, Module: ground.Module.Name + " " + ground.Module.Version, Kernel: ground.Kernel.Release, Accel: string(ground.Guest.Accel)}
	if p.Machine, err = measure.ThisMachine(ctx, []string{filepath.Base(qemu)}); err != nil {
		return page{}, err
	}
	for i := range o.rounds {
		kept := filepath.Join(dir, fmt.Sprintf("kept-%d", i))
		if err := p.round(ctx, ground, cache.Dir(kept), log); err != nil {
			return page{}, fmt.Errorf("round %d: %w", i+1, err)
		}
		if err := os.RemoveAll(kept); err != nil {
			return page{}, err
		}
	}
	return p, nil
}
