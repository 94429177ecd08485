package zevent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// A recording is JSON lines: a RecordingHeader, then one line an event in the
// order delivered.

// recordingFormat is the value of "format" in the header.
const recordingFormat = "zevents/1"

// maxLineBytes bounds one line of a recording: an event of MaxEventBytes takes
// 8 KiB in base64, and other modules may post longer ones.
const maxLineBytes = 1 << 20

// RecordingHeader is the first line: where the events came from.
type RecordingHeader struct {
	Format string `json:"format"` // "zevents/1"
	Module string `json:"module"` // version of the module, such as 2.1.11-1
	Kernel string `json:"kernel"` // release of the kernel, such as 6.1.0-56-amd64
	Endian string `json:"endian"` // byte order of the machine: little or big
}

// recordedEvent is every other line. EID and Time repeat what Nvlist holds.
type recordedEvent struct {
	EID     uint64   `json:"eid"`
	Time    [2]int64 `json:"time"` // seconds, nanoseconds
	Dropped uint64   `json:"dropped"`
	Nvlist  []byte   `json:"nvlist"` // base64 of the bytes that the kernel returned
}

// SyntaxError is one line of a recording that cannot be read.
type SyntaxError struct {
	Name string // of the recording
	Line int    // from 1
	Err  error
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err) }
func (e *SyntaxError) Unwrap() error { return e.Err }

// RecordingReader reads a recording line by line:
//
//	r, err := NewRecordingReader(file, name)
//	for r.Scan() {
//		e, err := r.Event()
//	}
//	err = r.Err()
//
// or part by part, which several goroutines can do at once:
//
//	for part := new(RecordingPart); r.ScanPart(part); part = new(RecordingPart) {
//		go func() {
//			for part.Scan() {
//				v, err := part.View()
//			}
//		}()
//	}
type RecordingReader struct {
	src    io.Reader
	name   string
	part   RecordingPart // that Scan reads
	carry  []byte        // the start of a line, for the next part
	lines  int           // in the parts so far
	header RecordingHeader
	err    error
}

// NewRecordingReader reads the header. name stands in errors. An error is a
// [*SyntaxError], or that of reading.
func NewRecordingReader(r io.Reader, name string) (*RecordingReader, error) {
	rr := &RecordingReader{src: r, name: name}
	rr.ScanPart(&rr.part)
	line, _ := rr.part.next()
	if rr.err != nil && !errors.Is(rr.err, io.EOF) && len(line) == 0 {
		return nil, fmt.Errorf("reading recording: %w", rr.err)
	}
	if err := json.Unmarshal(line, &rr.header); err != nil || rr.header.Format != recordingFormat {
		return nil, fmt.Errorf("reading recording: %w", &SyntaxError{Name: name, Line: 1, Err: fmt.Errorf("want a header with \"format\": %q, got %.80q; record it with zevents record", recordingFormat, line)})
	}
	return rr, nil
}

// Header returns the first line.
func (r *RecordingReader) Header() RecordingHeader { return r.header }

// Scan reads the next line that is not empty. It is false at the end, and
// after an error of reading.
func (r *RecordingReader) Scan() bool {
	for !r.part.Scan() {
		if !r.ScanPart(&r.part) {
			return false
		}
	}
	return true
}

// View returns the event of the line that Scan read, or the [*SyntaxError] of
// that line with what could be read. One bad line does not end the reading. The
// View holds until the next Scan.
func (r *RecordingReader) View() (View, error) { return r.part.View() }

// Event returns the event of View with its values; it may be kept.
func (r *RecordingReader) Event() (Event, error) { return r.part.Event() }

// Err returns the error that ended Scan or ScanPart, nil at the end of the
// recording.
func (r *RecordingReader) Err() error {
	if r.err == nil || errors.Is(r.err, io.EOF) {
		return nil
	}
	return fmt.Errorf("reading recording %s: %w", r.name, r.err)
}

// partBytes is how much ScanPart reads at once.
const partBytes = 256 << 10

// ScanPart reads some lines into a part, whose memory it uses again: those
// behind what Scan has read, which Scan then passes over. It is false at the
// end, and after an error of reading.
func (r *RecordingReader) ScanPart(p *RecordingPart) bool {
	if p != &r.part && len(r.part.rest) > 0 { // read with the header, or the line of a Scan
		*p, r.part = r.part, RecordingPart{buf: p.buf, raw: p.raw}
		return true
	}
	p.name, p.line, p.rest, p.long = r.name, r.lines, nil, false
	buf := append(p.buf[:0], r.carry...)
	r.carry = r.carry[:0]
	whole := 0 // bytes of lines with their ends
	for r.err == nil && whole == 0 {
		if len(buf) > maxLineBytes {
			p.long, buf = true, buf[:0]
		}
		start := len(buf)
		buf = slices.Grow(buf, partBytes)
		n, err := r.src.Read(buf[start : start+partBytes])
		buf, r.err = buf[:start+n], err
		whole = start + 1 + bytes.LastIndexByte(buf[start:], '\n')
		if whole == start {
			whole = 0
		}
	}
	if r.err != nil && errors.Is(r.err, io.EOF) {
		whole = len(buf)
	}
	r.carry = append(r.carry, buf[whole:]...)
	p.buf, p.rest = buf, buf[:whole]
	r.lines += bytes.Count(p.rest, []byte("\n"))
	return whole > 0 || p.long
}

// RecordingPart is some lines of a recording. It is for one goroutine.
type RecordingPart struct {
	name string
	line int    // read last, from 1
	buf  []byte // memory for rest
	rest []byte // not read yet
	long bool   // rest starts within a line that is too long
	raw  []byte // of the event, used again for the next
	view View
	bad  error
}

// Scan reads the next line that is not empty. It is false at the end.
func (p *RecordingPart) Scan() bool {
	for {
		line, ok := p.next()
		switch {
		case !ok:
			return false
		case len(line) > maxLineBytes || p.long:
			p.long = false
			p.raw, p.view, p.bad = p.raw[:0], View{}, p.syntaxError(errLineTooLong)
			return true
		case len(line) > 0:
			if p.parse(line); p.bad != nil {
				p.bad = p.syntaxError(p.bad)
			}
			return true
		}
	}
}

// View is as that of [RecordingReader].
func (p *RecordingPart) View() (View, error) { return p.view, p.bad }

// Event is as that of [RecordingReader].
func (p *RecordingPart) Event() (Event, error) {
	if p.bad != nil {
		return Event{}, p.bad
	}
	return Decode(bytes.Clone(p.raw), p.view.Dropped)
}

func (p *RecordingPart) syntaxError(err error) error {
	return &SyntaxError{Name: p.name, Line: p.line, Err: err}
}

var errLineTooLong = fmt.Errorf("line is longer than %d bytes", maxLineBytes)

// next returns one line without its end.
func (p *RecordingPart) next() (line []byte, ok bool) {
	if len(p.rest) == 0 && !p.long {
		return nil, false
	}
	p.line++
	line, p.rest, _ = bytes.Cut(p.rest, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), true
}

// RecordingWriter appends events to a recording, one Write a line.
type RecordingWriter struct {
	w io.Writer
}

// NewRecordingWriter writes the header; its Format is set here.
func NewRecordingWriter(w io.Writer, h RecordingHeader) (*RecordingWriter, error) {
	h.Format = recordingFormat
	rw := &RecordingWriter{w: w}
	return rw, rw.writeLine(h)
}

// ContinueRecording appends to a recording that has its header and ends with a
// whole line.
func ContinueRecording(w io.Writer) *RecordingWriter { return &RecordingWriter{w: w} }

// Write appends one event. It records Raw, Dropped, EID and Time.
func (w *RecordingWriter) Write(e Event) error {
	return w.writeLine(recordedEvent{
		EID:     e.EID,
		Time:    [2]int64{e.Time.Unix(), int64(e.Time.Nanosecond())},
		Dropped: e.Dropped,
		Nvlist:  e.Raw,
	})
}

func (w *RecordingWriter) writeLine(v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = w.w.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing recording: %w", err)
	}
	return nil
}
