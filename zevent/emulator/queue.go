// Package emulator is the kernel's event queue in Go: what module/zfs/fm.c
// does with events, behind the interface of an open /dev/zfs. It lets readers
// and tests run without a module, and plays recordings of real ones.
//
// Kept as in the module: one queue for all readers, oldest event first; a
// cursor per open descriptor; eviction of the oldest event when the queue is
// full; ENOENT, ENOMEM and the dropped count of [zevent.Device]; EIDs that
// count from 1 and are also taken by events that cannot be queued. Left out:
// waiting for an event, rate limits, and suppression of duplicates.
package emulator

import (
	"container/list"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// DefaultMaxEvents is zfs_zevent_len_max since 2.1.0.
const DefaultMaxEvents = 512

// Queue is one machine's event queue. It is safe for concurrent use.
type Queue struct {
	maxEvents int
	now       func() time.Time

	mu          sync.Mutex
	events      list.List // of *queued, oldest in front
	lastEID     uint64
	descriptors map[*Descriptor]struct{}
}

type queued struct {
	eid uint64
	raw []byte
}

// New returns an empty queue of at most maxEvents, 0 keeping none. now gives
// the time of posts.
func New(maxEvents int, now func() time.Time) *Queue {
	return &Queue{maxEvents: maxEvents, now: now, descriptors: map[*Descriptor]struct{}{}}
}

// Post appends time and eid to a list and queues it, as zfs_zevent_post does.
// It returns the event as readers will get it. A list that would be longer
// than [zevent.MaxEventBytes] takes an EID but is not queued, with an error.
func (q *Queue) Post(l nvlist.List) (zevent.Event, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.lastEID++
	l = l.Set(nvlist.Pair{Name: "time", Type: nvlist.Int64Array, Value: []int64{now.Unix(), int64(now.Nanosecond())}})
	l = l.Set(nvlist.Pair{Name: "eid", Type: nvlist.Uint64, Value: q.lastEID})
	raw, err := nvlist.Encode(l, nvlist.Host())
	if err != nil {
		return zevent.Event{}, fmt.Errorf("posting event %d: %w", q.lastEID, err)
	}
	return q.insert(raw)
}

// PostRecorded queues a recorded event with its own bytes, time and EID. EIDs
// of later posts follow the highest so far.
func (q *Queue) PostRecorded(e zevent.Event) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, err := q.insert(e.Raw)
	return err
}

// Play queues every event of a recording and returns how many. It stops at
// the first line that cannot be read.
func (q *Queue) Play(r *zevent.RecordingReader) (events int, err error) {
	for r.Scan() {
		e, err := r.Event()
		if err == nil {
			err = q.PostRecorded(e)
		}
		if err != nil {
			return events, fmt.Errorf("playing recording: %w", err)
		}
		events++
	}
	return events, r.Err()
}

func (q *Queue) insert(raw []byte) (zevent.Event, error) {
	e, err := zevent.Decode(raw, 0)
	if err != nil {
		return e, fmt.Errorf("posting event: %w", err)
	}
	q.lastEID = max(q.lastEID, e.EID)
	if len(raw) > zevent.MaxEventBytes {
		return e, fmt.Errorf("posting event %d: %d bytes are more than the %d that the module queues", e.EID, len(raw), zevent.MaxEventBytes)
	}
	full := q.events.Len() >= q.maxEvents
	q.events.PushBack(&queued{eid: e.EID, raw: raw})
	if full {
		q.evict(q.events.Front())
	}
	return e, nil
}

// evict removes one event. A cursor that stood on it goes back to the start
// and counts one drop, however many events pass before it reads again.
func (q *Queue) evict(at *list.Element) {
	for d := range q.descriptors {
		if d.cursor == at {
			d.cursor = nil
			d.dropped++
		}
	}
	q.events.Remove(at)
}

// Open returns a descriptor whose cursor is before the oldest event.
func (q *Queue) Open() *Descriptor {
	q.mu.Lock()
	defer q.mu.Unlock()
	d := &Descriptor{queue: q}
	q.descriptors[d] = struct{}{}
	return d
}

// Descriptor is one open descriptor of a Queue.
type Descriptor struct {
	queue   *Queue
	cursor  *list.Element // the event returned last; nil is before the oldest
	dropped uint64
	closed  bool
}

var _ zevent.Device = (*Descriptor)(nil)

// ErrClosed is returned by the methods of a closed descriptor.
var ErrClosed = errors.New("emulated event queue: descriptor is closed")

// ErrWouldWait is returned by Next without Nonblock on an empty queue, where
// the kernel would wait.
var ErrWouldWait = errors.New("emulated event queue: waiting for an event is not emulated; pass Nonblock")

// Next implements [zevent.Device].
func (d *Descriptor) Next(buf []byte, flags zevent.NextFlags) (int, uint64, error) {
	q := d.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if d.closed {
		return 0, 0, ErrClosed
	}
	next := q.events.Front()
	if d.cursor != nil {
		next = d.cursor.Next()
	}
	switch {
	case next == nil && flags&zevent.Nonblock == 0:
		return 0, 0, ErrWouldWait
	case next == nil:
		return 0, 0, zevent.ErrEmpty
	}
	raw := next.Value.(*queued).raw
	if len(raw) > len(buf) {
		return 0, 0, &zevent.BufferTooSmallError{NeedBytes: uint64(len(raw))}
	}
	dropped := d.dropped
	d.cursor, d.dropped = next, 0
	return copy(buf, raw), dropped, nil
}

// Clear implements [zevent.Device].
func (d *Descriptor) Clear() (uint64, error) {
	q := d.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if d.closed {
		return 0, ErrClosed
	}
	n := uint64(q.events.Len())
	for q.events.Len() > 0 {
		q.evict(q.events.Front())
	}
	return n, nil
}

// Seek implements [zevent.Device].
func (d *Descriptor) Seek(eid uint64) error {
	q := d.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case d.closed:
		return ErrClosed
	case eid == zevent.SeekStart:
		d.cursor = nil
		return nil
	case eid == zevent.SeekEnd:
		d.cursor = q.events.Back()
		return nil
	}
	for at := q.events.Front(); at != nil; at = at.Next() {
		if at.Value.(*queued).eid == eid {
			d.cursor = at
			return nil
		}
	}
	return fmt.Errorf("seeking to EID %d: %w", eid, zevent.ErrUnknownEID)
}

// Close implements [zevent.Device].
func (d *Descriptor) Close() error {
	q := d.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if d.closed {
		return ErrClosed
	}
	d.closed = true
	delete(q.descriptors, d)
	return nil
}
