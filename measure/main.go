package measure

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"text/template"
)

// A Page is what a benchmark writes.
type Page struct {
	Text []byte
	File string // to write it to; empty for standard output
}

// Fill makes the text of a page of its template and what was measured.
func Fill(text string, measured any) ([]byte, error) {
	t, err := template.New("page").Parse(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, measured)
	return b.Bytes(), err
}

// Main is the main function of a benchmark, which makes a page of its arguments and tells log what is being done.
func Main(makePage func(ctx context.Context, args []string, log io.Writer) (Page, error)) {
	err := run(makePage, os.Args[1:])
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "benchmark:", err)
		os.Exit(2)
	}
}

func run(makePage func(context.Context, []string, io.Writer) (Page, error), args []string) error {
	if len(args) > 1 && args[0] == sampleCommand {
		return printSample(args[1:], os.Stdout, os.Stderr)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p, err := makePage(ctx, args, os.Stderr)
	if err != nil {
		return err
	}
	if p.File == "" {
		_, err = os.Stdout.Write(p.Text)
		return err
	}
	return os.WriteFile(p.File, p.Text, 0o644)
}
