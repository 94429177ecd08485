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
	if err := r.resume(device, recording.last); err != nil {
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

// recorder appends events to a recording.
type recorder struct {
	file    *os.File
	out     *zevent.RecordingWriter
	stderr  io.Writer
	gaps    zevent.Gaps
	dropped uint64 // reported since the event recorded last
	events  int
	synced  int // of these, on the disk
	lost    int // events that cannot be read
}

// resume puts the cursor on the event that was recorded last, or before the
// oldest if that is not queued. An EID alone does not tell: it counts from 1
// again in a module that is loaded anew. What the module reports with the
// events that are passed goes with the next.
func (r *recorder) resume(device zevent.Device, last zevent.Event) error {
	if last.Raw == nil {
		return nil
	}
	client := zevent.NewClient(device)
	var oldest, restarted *zevent.Event
	for {
		e, err := client.Next()
		switch {
		case errors.Is(err, zevent.ErrEmpty):
			r.notQueued(last, oldest, restarted)
			return device.Seek(zevent.SeekStart)
		case err != nil && e.Raw == nil:
			return err
		}
		r.dropped += e.Dropped
		switch {
		case err != nil:
			continue // readQueue reports it
		case e.EID == last.EID && e.Time.Equal(last.Time):
			r.gaps.Deliver(e.EID)
			return nil
		}
		if oldest == nil {
			oldest = &e
		}
		if e.EID <= last.EID && e.Time.After(last.Time) && restarted == nil {
			restarted = &e
		}
	}
}

// notQueued says what became of the events behind the one recorded last. Within
// one load of the module EIDs only grow, so that a newer event with a lower one
// is of another.
func (r *recorder) notQueued(last zevent.Event, oldest, restarted *zevent.Event) {
	say := func(format string, args ...any) {
		fmt.Fprintf(r.stderr, "zevents: %s: the event recorded last, %s, is not queued any more: %s\n",
			r.file.Name(), place(last), fmt.Sprintf(format, args...))
	}
	switch {
	case oldest == nil:
		say("the queue is empty, it was cleared or the module was loaded anew")
	case restarted != nil:
		say("the module was loaded anew, its oldest queued event is %s", place(*oldest))
	default:
		say("evicted, cleared, or of a module that was unloaded; the oldest queued is %s", place(*oldest))
		r.gaps.Deliver(last.EID)
	}
}

func place(e zevent.Event) string {
	return fmt.Sprintf("EID %d of %s", e.EID, e.Time.Format(time.RFC3339Nano))
}

func (r *recorder) event(e zevent.Event) error {
	e.Dropped += r.dropped
	r.dropped = 0
	r.events++
	r.gaps.Deliver(e.EID)
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
	r.sayGaps()
	if r.synced == r.events {
		return nil
	}
	r.synced = r.events
	if err := r.file.Sync(); err != nil {
		return fmt.Errorf("writing recording: %w", err)
	}
	return nil
}

// sayGaps says each gap once.
func (r *recorder) sayGaps() {
	if r.gaps.Events() == 0 {
		return
	}
	for _, gap := range r.gaps.Ranges() {
		fmt.Fprintf(r.stderr, "zevents: %s: EIDs %d to %d, %d events, are missing: evicted or cleared before they were recorded, or never queued\n",
			r.file.Name(), gap.First, gap.Last, gap.Events())
	}
	highest := r.gaps.Highest()
	r.gaps = zevent.Gaps{}
	r.gaps.Deliver(highest)
}
