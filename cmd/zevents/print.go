package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// format is how events are printed.
type format interface {
	AppendEvent(b []byte, e zevent.Event) []byte
	AppendDropped(b []byte, dropped uint64) []byte
}

// printer prints the events that pass its filter.
type printer struct {
	options printOptions
	text    zevent.TextFormat
	format  format // chosen by start
	out     *bufio.Writer
	stderr  io.Writer
	buf     []byte
	lost    int // events that cannot be read
}

func newPrinter(o printOptions, s system, stdout, stderr io.Writer) *printer {
	return &printer{
		options: o,
		text:    zevent.TextFormat{Verbose: o.verbose, Scripted: o.scripted, Location: s.location, Escaped: s.terminal},
		out:     bufio.NewWriterSize(stdout, 64<<10),
		stderr:  stderr,
	}
}

// start prints what stands before the events of a module of that version.
func (p *printer) start(version string) error {
	if p.options.json {
		p.format = zevent.JSONFormat{}
		return nil
	}
	p.text.Names = zevent.NamesOf(version)
	p.format = p.text
	return p.text.WriteHeader(p.out)
}

func (p *printer) event(e zevent.Event) error {
	if p.options.filter.Match(e) {
		p.buf = p.format.AppendEvent(p.buf[:0], e)
	} else {
		p.buf = p.format.AppendDropped(p.buf[:0], e.Dropped)
	}
	_, err := p.out.Write(p.buf)
	return err
}

// unreadable reports an event behind those before it.
func (p *printer) unreadable(e zevent.Event, err error) error {
	p.lost++
	if _, err := p.out.Write(p.format.AppendDropped(p.buf[:0], e.Dropped)); err != nil {
		return err
	}
	if err := p.out.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.stderr, "zevents:", err)
	return err
}

func (p *printer) idle() error { return p.out.Flush() }

// end prints what is left of the events and returns the error of the whole.
func (p *printer) end(err error) error {
	if flushed := p.out.Flush(); err == nil {
		err = flushed
	}
	if err == nil && p.lost > 0 {
		err = fmt.Errorf("%d events could not be read", p.lost)
	}
	return err
}

func (p *printer) printRecording(ctx context.Context, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("opening recording: %w", err)
	}
	defer file.Close()
	return p.printFrom(ctx, file, name)
}

func (p *printer) printFrom(ctx context.Context, recording io.Reader, name string) error {
	r, err := zevent.NewRecordingReader(recording, name)
	if err != nil {
		return err
	}
	if err := p.start(r.Header().Module); err != nil {
		return err
	}
	for r.Scan() {
		e, err := r.Event()
		if err == nil {
			err = p.event(e)
		} else if syntax := (*zevent.SyntaxError)(nil); errors.As(err, &syntax) {
			err = p.unreadable(e, err)
		}
		if err == nil && ctx.Err() != nil {
			err = errInterrupted
		}
		if err != nil {
			return p.end(err)
		}
	}
	return p.end(r.Err())
}
