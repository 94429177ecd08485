package zevent

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
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
type RecordingReader struct {
	r      *bufio.Reader
	name   string
	line   int
	buf    []byte // of the line, used again for the next
	header RecordingHeader
	event  Event
	bad    error
	err    error
}

// NewRecordingReader reads the header. name stands in errors. An error is a
// [*SyntaxError], or that of reading.
func NewRecordingReader(r io.Reader, name string) (*RecordingReader, error) {
	rr := &RecordingReader{r: bufio.NewReader(r), name: name}
	line, err := rr.readLine()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading recording: %w", err)
	}
	if err := json.Unmarshal(line, &rr.header); err != nil || rr.header.Format != recordingFormat {
		return nil, fmt.Errorf("reading recording: %w", rr.syntaxError(fmt.Errorf("want a header with \"format\": %q, got %.80q; record it with zevents record", recordingFormat, line)))
	}
	return rr, nil
}

// Header returns the first line.
func (r *RecordingReader) Header() RecordingHeader { return r.header }

// Scan reads the next line that is not empty. It is false at the end, and
// after an error of reading.
func (r *RecordingReader) Scan() bool {
	for r.err == nil {
		line, err := r.readLine()
		if errors.Is(err, errLineTooLong) {
			r.event, r.bad = Event{}, r.syntaxError(err)
			return true
		}
		if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
			r.err = err
			return false
		}
		if len(line) > 0 {
			r.event, r.bad = Event{}, nil
			if e, err := parseRecorded(line); err != nil {
				r.bad = r.syntaxError(err)
			} else {
				r.event = e
			}
			return true
		}
	}
	return false
}

// Event returns the event of the line that Scan read, or the [*SyntaxError]
// of that line. One bad line does not end the reading.
func (r *RecordingReader) Event() (Event, error) { return r.event, r.bad }

// Err returns the error that ended Scan, nil at the end of the recording.
func (r *RecordingReader) Err() error {
	if r.err == nil || errors.Is(r.err, io.EOF) {
		return nil
	}
	return fmt.Errorf("reading recording %s: %w", r.name, r.err)
}

func (r *RecordingReader) syntaxError(err error) error {
	return &SyntaxError{Name: r.name, Line: r.line, Err: err}
}

var errLineTooLong = fmt.Errorf("line is longer than %d bytes", maxLineBytes)

// readLine returns one line without its end, valid until the next call. It
// passes a line that is too long, holding no more than the buffer of it.
func (r *RecordingReader) readLine() ([]byte, error) {
	r.line++
	line := r.buf[:0]
	defer func() { r.buf = line }()
	long := false
	for {
		part, err := r.r.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxLineBytes; !long {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if long && (err == nil || errors.Is(err, io.EOF)) {
			return nil, errLineTooLong
		}
		return trimEOL(line), err
	}
}

func trimEOL(line []byte) []byte {
	for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
		line = line[:len(line)-1]
	}
	return line
}

func parseRecorded(line []byte) (Event, error) {
	rec, ok := splitRecorded(line)
	if !ok {
		rec = recordedEvent{}
		if err := json.Unmarshal(line, &rec); err != nil {
			return Event{}, fmt.Errorf("want an event in JSON: %w", err)
		}
	}
	e, err := Decode(rec.Nvlist, rec.Dropped)
	if err != nil {
		return Event{}, err
	}
	if want := time.Unix(rec.Time[0], rec.Time[1]); e.EID != rec.EID || !e.Time.Equal(want) {
		return Event{}, fmt.Errorf("eid %d and time %v of the line differ from eid %d and time %v of its nvlist",
			rec.EID, rec.Time, e.EID, e.Time)
	}
	return e, nil
}

// splitRecorded reads a line as RecordingWriter writes it, with the nvlist last,
// in a third of the time: the JSON decoder goes over a string four times. It
// is false for any other line, which may still be an event.
func splitRecorded(line []byte) (rec recordedEvent, ok bool) {
	const key = `"nvlist":`
	at := bytes.LastIndex(line, []byte(key))
	if at < 0 {
		return rec, false
	}
	before, comma := bytes.CutSuffix(bytes.TrimRight(line[:at], " "), []byte(","))
	text, opened := bytes.CutPrefix(bytes.TrimLeft(line[at+len(key):], " "), []byte(`"`))
	text, closed := bytes.CutSuffix(text, []byte(`"}`))
	if !comma || !opened || !closed || bytes.IndexByte(text, '\r') >= 0 { // which base64 would pass over
		return rec, false
	}
	head := append(make([]byte, 0, len(before)+1), before...)
	if err := json.Unmarshal(append(head, '}'), &rec); err != nil {
		return rec, false
	}
	raw, err := base64.StdEncoding.AppendDecode(make([]byte, 0, base64.StdEncoding.DecodedLen(len(text))), text)
	rec.Nvlist = raw
	return rec, err == nil
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
