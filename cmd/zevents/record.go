package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// record appends the events of the module to the recording of that name.
func (s system) record(ctx context.Context, name string, follow bool, stdout, stderr io.Writer) error {
	header, err := s.header()
	if err != nil {
		return err
	}
	device, err := s.open()
	if err != nil {
		return err
	}
	defer device.Close()
	recording, err := openRecording(name, header, stderr)
	if err != nil {
		return err
	}
	defer recording.file.Close()
	r := &recorder{file: recording.file, out: zevent.ContinueRecording(recording.file), stderr: stderr}
	if r.dropped, err = resume(device, recording, stderr); err != nil {
		return err
	}
	err = errors.Join(readQueue(ctx, device, follow, r), r.idle())
	if _, printed := fmt.Fprintf(stdout, "recorded %d events\n", r.events); err == nil {
		err = printed
	}
	if err == nil && r.lost > 0 {
		err = fmt.Errorf("%d events could not be read, and were not recorded", r.lost)
	}
	return err
}

// header describes the module whose events are recorded.
func (s system) header() (zevent.RecordingHeader, error) {
	module, err := s.module()
	if err != nil {
		return zevent.RecordingHeader{}, fmt.Errorf("reading the version of the module: %w; load the zfs module", err)
	}
	kernel, err := s.kernel()
	if err != nil {
		return zevent.RecordingHeader{}, fmt.Errorf("reading the release of the kernel: %w", err)
	}
	endian := "little"
	if nvlist.Host().BigEndian {
		endian = "big"
	}
	return zevent.RecordingHeader{Module: module, Kernel: kernel, Endian: endian}, nil
}

// resume puts the cursor on the event that was recorded last, or before the
// oldest if that is not queued. An EID alone does not tell: it counts from 1
// again in a module that is loaded anew. dropped is the sum of what the module
// reported with the events that were passed.
func resume(device zevent.Device, r *recording, stderr io.Writer) (dropped uint64, err error) {
	if !r.resumes {
		return 0, nil
	}
	client := zevent.NewClient(device)
	oldest := "the queue is empty"
	for passed := 0; ; passed++ {
		e, err := client.Next()
		switch {
		case errors.Is(err, zevent.ErrEmpty):
			fmt.Fprintf(stderr, "zevents: %s: the event recorded last, EID %d of %s, is not queued any more: evicted, cleared, or of a module that was unloaded; %s\n",
				r.file.Name(), r.last.EID, r.last.Time.Format(time.RFC3339Nano), oldest)
			return dropped, device.Seek(zevent.SeekStart)
		case err != nil && e.Raw == nil:
			return dropped, err
		}
		dropped += e.Dropped
		if err == nil && e.EID == r.last.EID && e.Time.Equal(r.last.Time) {
			return dropped, nil
		}
		if passed == 0 {
			oldest = fmt.Sprintf("the oldest queued is EID %d of %s", e.EID, e.Time.Format(time.RFC3339Nano))
		}
	}
}

// recorder appends events to a recording.
type recorder struct {
	file    *os.File
	out     *zevent.RecordingWriter
	stderr  io.Writer
	dropped uint64 // reported since the event recorded last
	events  int
	synced  int // of these, on the disk
	lost    int // events that cannot be read
}

func (r *recorder) event(e zevent.Event) error {
	e.Dropped += r.dropped
	r.dropped = 0
	r.events++
	return r.out.Write(e)
}

// unreadable cannot record what has no EID and time.
func (r *recorder) unreadable(e zevent.Event, err error) error {
	r.dropped += e.Dropped
	r.lost++
	_, err = fmt.Fprintln(r.stderr, "zevents:", err)
	return err
}

func (r *recorder) idle() error {
	if r.synced == r.events {
		return nil
	}
	r.synced = r.events
	if err := r.file.Sync(); err != nil {
		return fmt.Errorf("writing recording: %w", err)
	}
	return nil
}
