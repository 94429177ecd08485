package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// recording is a file of whole lines, to be appended to.
type recording struct {
	file *os.File
	last zevent.Event // the one recorded last; Raw is nil if there is none
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
	// The last writer may have ended between the look at the file and the lock.
	if info, err = r.file.Stat(); err != nil {
		return err
	}
	tail, err := zevent.ReadRecordingTail(r.file, info.Size(), r.file.Name())
	switch {
	case err != nil:
		return err
	case tail.WholeSize == 0:
		return r.begin(header, info.Size(), stderr)
	}
	header.Format = tail.Header.Format
	if tail.Header != header {
		return fmt.Errorf("of OpenZFS %q on Linux %q, not of the OpenZFS %q on Linux %q here; choose another file",
			tail.Header.Module, tail.Header.Kernel, header.Module, header.Kernel)
	}
	if tail.BadLines > 0 {
		fmt.Fprintf(stderr, "zevents: %v; %d such lines at the end are left as they are\n", tail.Bad, tail.BadLines)
	}
	r.last = tail.Last
	return r.cut(tail.WholeSize, info.Size(), stderr)
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
	if _, err := r.file.Write(line.Bytes()); err != nil {
		return err
	}
	return errors.Join(r.file.Sync(), syncDir(filepath.Dir(r.file.Name())))
}

// cut removes what is behind the last whole line.
func (r *recording) cut(whole, size int64, stderr io.Writer) error {
	if whole == size {
		return nil
	}
	fmt.Fprintf(stderr, "zevents: %s: removed the last %d bytes, a line that was not finished\n", r.file.Name(), size-whole)
	return r.file.Truncate(whole)
}

// syncDir makes the name of a new file survive a crash of the machine.
func syncDir(name string) error {
	dir, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
