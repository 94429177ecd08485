// Stackload has the kernel's stack tracer watch OpenZFS while a pool is created, written to, sent and received, and prints the
// deepest stack of each of these steps, as the package stackcheck/observe reads them.
//
// It is a program of the guest: it makes a pool, and leaves the tracer on, since the machine ends with it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/observe"
)

func main() {
	device := flag.String("device", "/dev/zfs", "of the module")
	dir := flag.String("dir", os.TempDir(), "`directory` for the pool's file and the stream")
	modules := flag.String("modules", "", "look at the functions of these alone, `names` with commas between")
	flag.Parse()
	if err := run(os.Stdout, *device, *dir, names(*modules)); err != nil {
		fmt.Fprintf(os.Stderr, "stackload: %v\n", err)
		os.Exit(2)
	}
}

func names(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

func run(out io.Writer, device, dir string, modules []string) error {
	tracer, err := observe.FindTracer()
	if err != nil {
		return err
	}
	l, err := open(device, dir)
	if err != nil {
		return err
	}
	if _, err := tracer.Start(modules...); err != nil {
		return errors.Join(err, l.close())
	}
	return errors.Join(record(tracer, out, l.steps()), l.close())
}

// record takes steps, and prints the deepest stack of each.
func record(tracer observe.Tracer, out io.Writer, steps []step) error {
	for _, step := range steps {
		if err := tracer.Reset(); err != nil {
			return err
		}
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
		text, err := tracer.Text()
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "# %s\n%s", step.what, text); err != nil {
			return err
		}
	}
	return nil
}
