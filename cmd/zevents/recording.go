package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// recording is a file of whole lines, to be appended to.
type recording struct {
	file    *os.File
	last    zevent.Event // the one recorded last
	resumes bool         // there is one
}

// openRecording opens a recording of the module that header describes, or makes
// one. It removes the part of a line that a crash left at its end, and says so.
// A file that is no such recording is an error, and is left as it is.
func openRecording(name string, header zevent.RecordingHeader, stderr io.Writer) (*recording, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening recording: %w", err)
	}
	r := &recording{file: file}
	if err := r.prepare(header, stderr); err != nil {
		file.Close()
		return nil, fmt.Errorf("opening recording %s: %w", name, err)
	}
	return r, nil
}

func (r *recording) prepare(header zevent.RecordingHeader, stderr io.Writer) error {
	info, err := r.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file; a recording is read again before it goes on")
	}
	if err := unix.Flock(int(r.file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("another process writes it: %w; end that, or choose another file", err)
	}
	whole, err := lineEnd(r.file, info.Size())
	if err != nil {
		return err
	}
	if whole == 0 {
		return r.begin(header, info.Size(), stderr)
	}
	if err := r.readThrough(header, whole, stderr); err != nil {
		return err
	}
	return r.cut(whole, info.Size(), stderr)
}

// begin writes the header into a file that has none, or a part of it.
func (r *recording) begin(header zevent.RecordingHeader, size int64, stderr io.Writer) error {
	var line bytes.Buffer
	if _, err := zevent.NewRecordingWriter(&line, header); err != nil {
		return err
	}
	torn := make([]byte, min(size, int64(line.Len())))
	if _, err := r.file.ReadAt(torn, 0); err != nil {
		return err
	}
	if int64(len(torn)) < size || !bytes.HasPrefix(line.Bytes(), torn) {
		return errors.New("not a recording of this module; choose another file")
	}
	if err := r.cut(0, size, stderr); err != nil {
		return err
	}
	_, err := r.file.Write(line.Bytes())
	return err
}

// readThrough finds the last event in the whole lines.
func (r *recording) readThrough(header zevent.RecordingHeader, size int64, stderr io.Writer) error {
	reader, err := zevent.NewRecordingReader(io.NewSectionReader(r.file, 0, size), r.file.Name())
	if err != nil {
		return err
	}
	header.Format = reader.Header().Format
	if reader.Header() != header {
		return fmt.Errorf("of OpenZFS %q on Linux %q, not of the OpenZFS %q on Linux %q here; choose another file",
			reader.Header().Module, reader.Header().Kernel, header.Module, header.Kernel)
	}
	for reader.Scan() {
		e, err := reader.Event()
		if err != nil {
			fmt.Fprintf(stderr, "zevents: %v; the line is left as it is\n", err)
			continue
		}
		r.last, r.resumes = e, true
	}
	return reader.Err()
}

// cut removes what is behind the last whole line.
func (r *recording) cut(whole, size int64, stderr io.Writer) error {
	if whole == size {
		return nil
	}
	fmt.Fprintf(stderr, "zevents: %s: removed the last %d bytes, a line that was not finished\n", r.file.Name(), size-whole)
	return r.file.Truncate(whole)
}

// lineEnd returns where the last whole line of a file ends, 0 if it has none.
func lineEnd(file io.ReaderAt, size int64) (int64, error) {
	block := make([]byte, 64<<10)
	for end := size; end > 0; {
		start := max(0, end-int64(len(block)))
		part := block[:end-start]
		if _, err := file.ReadAt(part, start); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}
