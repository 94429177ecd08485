package wire

import (
	"compress/flate"
	"encoding/json"
	"errors"
	"io"
)

// Stream writes records to a port and compresses them: a byte costs an emulated serial port as much as
// thousands of instructions. It is for one goroutine.
type Stream struct {
	compressed *flate.Writer
	lines      *json.Encoder
}

// NewStream returns a Stream that writes to port.
func NewStream(port io.Writer) *Stream {
	w, err := flate.NewWriter(port, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is valid
	}
	s := &Stream{compressed: w, lines: json.NewEncoder(w)}
	s.lines.SetEscapeHTML(false)
	return s
}

// Write adds a record, which may be held back until Flush.
func (s *Stream) Write(r Record) error { return s.lines.Encode(r) }

// Flush writes what was held back.
func (s *Stream) Flush() error { return s.compressed.Flush() }

// Lines returns what a Stream wrote as JSON lines. They end without an error where the stream ends, as
// that of a machine that was cut off does at any point.
func Lines(port io.Reader) io.Reader { return untilCut{flate.NewReader(port)} }

type untilCut struct{ r io.Reader }

func (u untilCut) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}
