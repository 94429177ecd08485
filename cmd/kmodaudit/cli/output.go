package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/kmodaudit/kmodaudit/headerinstall"
	"github.com/kmodaudit/kmodaudit/report"
)

// Output is where a command prints: results on Stdout, what is beside them on Stderr.
type Output struct {
	Stdout, Stderr io.Writer
}

func (o Output) warn(text string) { report.Message(o.Stderr, "kmodaudit: warning", text) }

func (o Output) write(l report.Listing, f report.Format) error {
	return printed(l.Write(o.Stdout, f, columns(o.Stdout)))
}

// planned prints a plan. CSV has no place for more than one table: what was found goes beside it.
func (o Output) planned(p headerinstall.Plan, f report.Format) error {
	listing := report.HeaderPlan(p)
	if f != report.CSVFormat {
		return cmp.Or(o.write(listing, f), found(len(p.Findings)))
	}
	listing.Tables = listing.Tables[:1]
	return o.conclude(p, o.write(listing, f))
}

// conclude tells of what was found where the result has no place for it.
func (o Output) conclude(p headerinstall.Plan, err error) error {
	if err != nil {
		return err
	}
	for _, f := range p.Findings {
		report.Message(o.Stderr, "kmodaudit: finding", f.Subject+": "+f.Message+"; "+f.Remedy)
	}
	return found(len(p.Findings))
}

func (o Output) warnAll(warnings []string) {
	for _, warning := range warnings {
		o.warn(warning)
	}
}

// waiting returns what to do when another run works on a destination.
func (o Output) waiting(dest string) func() {
	return func() { o.warn("another run works on " + dest + "; waiting for its end") }
}

func (o Output) list(m headerinstall.Manifest, kind headerinstall.ListKind, prefix string) error {
	if err := m.List(o.Stdout, kind, prefix); err != nil {
		return cannot(err)
	}
	return nil
}

// diff prints what a plan changes. A file or a program gets the very bytes of the headers, a terminal does not.
func (o Output) diff(ctx context.Context, p headerinstall.Plan) error {
	if columns(o.Stdout) == 0 {
		w := bufio.NewWriter(o.Stdout)
		return printed(errors.Join(p.Diff(ctx, w), w.Flush()))
	}
	var text strings.Builder
	if err := p.Diff(ctx, &text); err != nil {
		return printed(err)
	}
	_, err := io.WriteString(o.Stdout, report.Terminal(text.String()))
	return printed(err)
}

// diffAndInstall prints what an installation changes, and does just that: it fails if another was quicker.
func (o Output) diffAndInstall(ctx context.Context, c headerinstall.Config) (headerinstall.Plan, error) {
	plan, err := headerinstall.NewPlan(ctx, c)
	if err != nil {
		return plan, err
	}
	if err := o.diff(ctx, plan); err != nil {
		return plan, err
	}
	_, err = headerinstall.Install(ctx, plan)
	return plan, err
}

func printed(err error) error {
	if err != nil {
		return cannot(fmt.Errorf("printing the result: %w", err))
	}
	return nil
}

// columns returns the width of a terminal, 0 for what is none.
func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}
