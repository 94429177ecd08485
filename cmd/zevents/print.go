package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// format is how events are printed.
type format interface {
	AppendView(b []byte, v zevent.View) []byte
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
	colored := o.color == colorAlways || o.color == colorAuto && s.colors
	return &printer{
		options: o,
		text: zevent.TextFormat{
			Verbose: o.verbose, Scripted: o.scripted, Location: s.location,
			Escaped: s.terminal || colored, Colored: colored,
		},
		out:    bufio.NewWriterSize(stdout, 64<<10),
		stderr: stderr,
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

// append appends what is printed of one event. It may be called by several goroutines.
func (p *printer) append(b []byte, v zevent.View) []byte {
	if p.options.filter.MatchView(v) {
		return p.format.AppendView(b, v)
	}
	return p.format.AppendDropped(b, v.Dropped)
}

func (p *printer) event(e zevent.Event) error {
	v, err := zevent.Parse(e.Raw, e.Dropped)
	if err != nil {
		return p.unreadable(e, err)
	}
	p.buf = p.append(p.buf[:0], v)
	_, err = p.out.Write(p.buf)
	return err
}

// unreadable reports an event behind those before it.
func (p *printer) unreadable(e zevent.Event, err error) error {
	p.buf = p.format.AppendDropped(p.buf[:0], e.Dropped)
	if _, err := p.out.Write(p.buf); err != nil {
		return err
	}
	return p.report(err)
}

// report says what is wrong with an event, behind what is printed before it.
func (p *printer) report(err error) error {
	p.lost++
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

// printRecording prints the recording of that name, - for stdin.
func (p *printer) printRecording(ctx context.Context, name string, stdin io.Reader) error {
	if name == "-" {
		return p.printFrom(ctx, stdin, "standard input")
	}
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
	return p.end(p.printPages(ctx, r))
}
