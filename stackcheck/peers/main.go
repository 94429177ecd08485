// Peers measures `kmodaudit stack` beside what else reads the stack of a kernel module. It is a chore of this
// project, run by its Mage target benchStack, and not for users.
//
//   - A contest is one job that kmodaudit and a peer do on the same input.
//   - A round is one sample of each of the two. Each round begins with the other one.
//   - A ratio is that of the two samples of a round.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

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

type options struct {
	build      string   // directory or archive of .su and .ci files
	objects    []string // modules and kernels
	checkstack string   // the kernel's scripts/checkstack.pl; empty where there is none
	out        string   // file; empty for stdout
	on         string   // directory to make trees in
	rounds     int
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.build, "build", "", "`directory` or archive with a build's .su and .ci files")
	flags.Func("object", "module or vmlinux, as a `file`; may be repeated", func(name string) error {
		name, err := filepath.Abs(name)
		o.objects = append(o.objects, name)
		return err
	})
	flags.StringVar(&o.checkstack, "checkstack", newest("/usr/lib/linux-kbuild-*/scripts/checkstack.pl", "/usr/src/linux-kbuild-*/scripts/checkstack.pl"), "the kernel's checkstack.pl, as a `file`")
	flags.StringVar(&o.on, "on", "", "`directory` to make trees in (default the system's for temporary files)")
	flags.StringVar(&o.out, "o", "", "`file` for the page (default standard output)")
	flags.IntVar(&o.rounds, "rounds", 11, "rounds of each contest")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q; see -h", flags.Arg(0))
	case o.build == "":
		return o, errors.New("no build given; name a directory or archive with .su and .ci files by -build")
	case len(o.objects) > 0 && o.checkstack == "":
		return o, errors.New("no checkstack.pl found to compare with; install linux-kbuild, or name it by -checkstack")
	case o.rounds < 1:
		return o, fmt.Errorf("cannot run %d rounds; give 1 or more", o.rounds)
	}
	return o, nil
}

// newest returns the last of the files that the first of patterns matches that matches any, or nothing.
func newest(patterns ...string) string {
	for _, pattern := range patterns {
		if found, _ := filepath.Glob(pattern); len(found) > 0 { // the pattern is one
			return found[len(found)-1]
		}
	}
	return ""
}

// makePage holds all contests.
func (o options) makePage(ctx context.Context, log io.Writer) (page, error) {
	dir, err := os.MkdirTemp(o.on, "stack-benchmark-")
	if err != nil {
		return page{}, err
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.Abs(dir); err != nil {
		return page{}, err
	}
	binary := filepath.Join(dir, "kmodaudit")
	if err := measure.Build(ctx, "github.com/kmodaudit/kmodaudit/cmd/kmodaudit", binary); err != nil {
		return page{}, err
	}
	trees, err := makeTrees(o.build, dir, largeFiles)
	if err != nil {
		return page{}, fmt.Errorf("making trees of %s: %w", o.build, err)
	}
	programs := []string{"cat"}
	if len(o.objects) > 0 {
		programs = append(programs, "objdump", "perl")
	}
	p := page{Rounds: o.rounds}
	if p.Machine, err = measure.ThisMachine(ctx, programs); err != nil {
		return page{}, err
	}
	contests := onTrees(binary, trees)
	for _, object := range o.objects {
		contests = append(contests, onObject(binary, object, o.checkstack))
	}
	for _, c := range contests {
		r, err := c.hold(ctx, dir, o.rounds, log)
		if err != nil {
			return page{}, fmt.Errorf("measuring %s: %w", c.Name, err)
		}
		p.Results = append(p.Results, r)
	}
	return p, nil
}
