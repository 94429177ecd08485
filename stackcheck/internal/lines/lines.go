// Package lines splits a file of unknown origin into lines in bounded memory.
//
// bufio.Scanner gives up at the first line that is too long, and cannot tell a last line that was cut off from a whole
// one. Both matter to a reader that has to say where a file is damaged and still deliver the rest of it.
package lines

import (
	"bufio"
	"io"
	"strings"
)

// MaxBytes bounds a line, its newline included.
const MaxBytes = 1 << 20

// A Fault is what is wrong with a line before anything looks at its content.
type Fault string

const (
	Whole        Fault = ""                                        // nothing is wrong
	TooLong      Fault = "the line is longer than 1 MiB"           // the text is cut at MaxBytes
	Unterminated Fault = "the file ends in the middle of the line" // end of file without a newline
)

// A Scanner reads lines, in the manner of bufio.Scanner.
type Scanner struct {
	input  *bufio.Reader // nil when all of the input is in memory
	rest   string        // of that
	line   []byte        // of the input
	text   string
	number int
	fault  Fault
	err    error
}

// A Text is an input that is in memory. Its lines are parts of it, and not copied.
type Text struct {
	*strings.Reader
	all string
}

// NewText returns an input that holds s.
func NewText(s string) Text { return Text{strings.NewReader(s), s} }

// NewScanner returns a Scanner that reads from r, or the lines of a Text.
func NewScanner(r io.Reader) *Scanner {
	if text, ok := r.(Text); ok {
		return &Scanner{rest: text.all}
	}
	return &Scanner{input: bufio.NewReaderSize(r, 16<<10)}
}

// Scan advances to the next line. It returns false at the end of the file or when reading fails.
func (s *Scanner) Scan() bool {
	if s.err != nil {
		return false
	}
	s.fault = Whole
	if s.input == nil {
		return s.next()
	}
	s.line = s.line[:0]
	for {
		part, err := s.input.ReadSlice('\n')
		s.line = append(s.line, part[:min(len(part), MaxBytes-len(s.line))]...)
		if len(s.line) == MaxBytes {
			s.fault = TooLong
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		s.err = err
		break
	}
	if s.err != nil && (s.err != io.EOF || len(s.line) == 0) {
		return false
	}
	s.number++
	switch {
	case s.fault == TooLong:
	case s.err == io.EOF:
		s.fault = Unterminated
	default:
		s.line = s.line[:len(s.line)-1]
	}
	s.text = string(s.line)
	return true
}

// next is Scan for input in memory.
func (s *Scanner) next() bool {
	if len(s.rest) == 0 {
		s.err = io.EOF
		return false
	}
	s.number++
	end := strings.IndexByte(s.rest, '\n') + 1
	if end == 0 {
		s.fault, end = Unterminated, len(s.rest)
	}
	s.text, s.rest = s.rest[:end], s.rest[end:]
	switch {
	case end >= MaxBytes:
		s.text, s.fault = s.text[:MaxBytes], TooLong
	case s.fault == Whole:
		s.text = s.text[:end-1]
	}
	return true
}

// Text returns the line without its newline. To keep a part of it is to keep the line, or all of a Text.
func (s *Scanner) Text() string { return s.text }

// Number returns the line's number; the first is 1.
func (s *Scanner) Number() int { return s.number }

// Fault tells whether the line is whole.
func (s *Scanner) Fault() Fault { return s.fault }

// Err returns why reading failed; the end of the file is no failure.
func (s *Scanner) Err() error {
	if s.err == io.EOF {
		return nil
	}
	return s.err
}
