package zevent

import (
	"bytes"
	"fmt"
	"io"
)

// RecordingTail is what a writer has to know of a recording to go on with it.
type RecordingTail struct {
	Header    RecordingHeader
	WholeSize int64 // bytes up to the end of the last whole line; what follows a crash left
	Last      Event // the event recorded last; Raw is nil if there is none
	BadLines  int   // that cannot be read, behind Last
	Bad       error // of the first of them from the end, with its place in bytes
}

// ReadRecordingTail reads the first line of a recording of size bytes, and its
// last ones back to one that holds an event. WholeSize is 0 if there is no whole line
// at all; then nothing else is set. name stands in errors, which are those of
// [NewRecordingReader].
func ReadRecordingTail(r io.ReaderAt, size int64, name string) (RecordingTail, error) {
	var t RecordingTail
	whole, err := lineEnd(r, size)
	if err != nil || whole == 0 {
		return t, err
	}
	reader, err := NewRecordingReader(io.NewSectionReader(r, 0, whole), name)
	if err != nil {
		return t, err
	}
	t.Header, t.WholeSize = reader.Header(), whole
	return t, t.findLast(r, name)
}

// findLast goes back line by line, as far as the header.
func (t *RecordingTail) findLast(r io.ReaderAt, name string) error {
	for end := t.WholeSize; ; {
		start, err := lineEnd(r, end-1)
		if err != nil || start == 0 {
			return err
		}
		part := RecordingPart{name: name, long: end-start > maxLineBytes}
		if !part.long {
			part.rest = make([]byte, end-start)
			if _, err := r.ReadAt(part.rest, start); err != nil {
				return err
			}
		}
		if part.Scan() {
			if t.Last, err = part.Event(); err == nil {
				return nil
			}
			if t.BadLines++; t.BadLines == 1 {
				t.Bad = fmt.Errorf("%s: at byte %d: %w", name, start, part.bad.(*SyntaxError).Err)
			}
		}
		end = start
	}
}

// lineEnd returns where the last line that is whole within size bytes ends, 0 if none is.
func lineEnd(r io.ReaderAt, size int64) (int64, error) {
	block := make([]byte, 16<<10)
	for end := size; end > 0; {
		start := max(0, end-int64(len(block)))
		part := block[:end-start]
		if n, err := r.ReadAt(part, start); err != nil && n < len(part) {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}
