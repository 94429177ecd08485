// Package emulator is the kernel's event queue in Go: what module/zfs/fm.c
// and zfs_fm.c do with events, behind the interface of an open /dev/zfs. It
// lets readers and tests run without a module, and plays recordings of real
// ones.
//
// Terms, beside those of package zevent:
//
//   - To post is zfs_zevent_post: time and EID are added to an event and it is
//     queued. The EID is taken before the lock of the queue, so that posts at
//     the same time may be queued in another order.
//   - To report is zfs_ereport_post: an error is posted unless it is a
//     duplicate of a recent one, or there are too many of its vdev and class
//     in a second.
//   - A wake-up is lost when an event is posted between a reader's look at the
//     queue and its sleep, as the module does not look again. The emulator
//     loses it too.
//
// Kept as in the module: one queue for all readers, oldest event first; a
// cursor per open file, shared by duplicates of a descriptor; eviction of one
// event a post when the queue is full, also after its bound was lowered;
// ENOENT, ENOMEM, EINTR and ESHUTDOWN; the dropped count of [zevent.Device],
// with the machine-wide count of rate-limited events that the next reader
// gets; EIDs that count from 1 and are also taken by events that cannot be
// queued; the counters of /proc/spl/kstat/zfs/fm; what zfs_zevent_console
// prints. Releases differ by their [zevent.Parameters]. Left out: ioctls, so
// that there is no EFAULT and no EPERM, and what decides whether the module
// makes an event at all.
//
// Package zevent/differential holds it against the module.
package emulator

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// DefaultMaxEvents is zfs_zevent_len_max since 2.1.0.
const DefaultMaxEvents = 512

// Queue is one machine's event queue. It is safe for concurrent use.
type Queue struct {
	now      func() time.Time
	lastEID  atomic.Uint64
	counters counters
	console  console

	// AfterLook, if it is not nil, is called between a look of Next without
	// Nonblock at the queue, which found no event, and its sleep: when a
	// wake-up is lost. Set it before the queue is used.
	AfterLook func()

	mu         sync.Mutex
	parameters zevent.Parameters
	events     []queued // of these, from first on
	first      int
	oldest     position // of events[first]
	waiters    map[*waiter]struct{}
	shutdown   bool
	spare      []byte // of an event that was evicted
	limited    uint64 // ratelimit_dropped
	recent     recentErrors
	limits     map[limitKey]*rateLimit
}

type queued struct {
	eid uint64
	raw []byte
	own bool // raw is nobody else's, and may be used again
}

// position numbers the events in the order in which they were queued, from 1.
type position uint64

// New returns an empty queue of at most maxEvents, 0 keeping none, of a module
// of the newest release. now gives the time of posts.
func New(maxEvents int, now func() time.Time) *Queue {
	p := zevent.DefaultParameters(zevent.Release{Major: 2, Minor: 4}, 0)
	p.QueueEvents = maxEvents
	return NewModule(p, now, io.Discard)
}

// NewModule returns the queue of a module that was loaded with such
// parameters; zevent.DefaultParameters gives those of a release. What
// zfs_zevent_console prints goes to console.
func NewModule(p zevent.Parameters, now func() time.Time, log io.Writer) *Queue {
	return &Queue{
		now:        now,
		console:    console{w: log},
		parameters: p,
		oldest:     1,
		waiters:    map[*waiter]struct{}{},
		recent:     newRecentErrors(),
		limits:     map[limitKey]*rateLimit{},
	}
}

// Parameters returns the parameters as they are.
func (q *Queue) Parameters() zevent.Parameters {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.parameters
}

// SetParameters sets them, as writing to /sys/module/zfs/parameters does. A
// lower QueueEvents evicts nothing; from then on each post evicts one event.
func (q *Queue) SetParameters(p zevent.Parameters) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.parameters = p
}

// Post appends time and eid to a list and queues it, as zfs_zevent_post does.
// It returns the event as readers will get it. A list that would be longer
// than [zevent.MaxEventBytes] takes an EID but is not queued; the error is a
// [*TooLongError].
func (q *Queue) Post(l nvlist.List) (zevent.Event, error) {
	p, err := Prepare(l)
	if err != nil {
		return zevent.Event{}, err
	}
	return q.post(p)
}

// PostRecorded queues a recorded event with its own bytes, time and EID. EIDs
// of later posts follow the highest so far. The bytes must not change any more.
func (q *Queue) PostRecorded(e zevent.Event) error {
	if e.EID == 0 {
		return fmt.Errorf("posting a recorded event of class %q: it has no EID", e.Class)
	}
	for last := q.lastEID.Load(); last < e.EID; last = q.lastEID.Load() {
		q.lastEID.CompareAndSwap(last, e.EID)
	}
	return q.insert(e.EID, e.Raw)
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

// TooLongError is an event that took an EID and was not queued (EOVERFLOW).
type TooLongError struct {
	EID   uint64
	Bytes int
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("posting event %d: %d bytes are more than the %d that the module queues", e.EID, e.Bytes, zevent.MaxEventBytes)
}

func (q *Queue) insert(eid uint64, raw []byte) error {
	if err := q.checkLength(eid, len(raw)); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.insertLocked(queued{eid: eid, raw: raw})
	return nil
}

func (q *Queue) checkLength(eid uint64, bytes int) error {
	if bytes > zevent.MaxEventBytes {
		q.counters.dropped.Add(1)
		return &TooLongError{eid, bytes}
	}
	return nil
}

// insertLocked is zfs_zevent_insert, and what zfs_zevent_post does around it.
func (q *Queue) insertLocked(e queued) {
	if q.parameters.Console {
		q.console.print(e.raw, q.parameters.ConsoleColumns)
	}
	full := q.length() >= q.parameters.QueueEvents
	q.events = append(q.events, e)
	if full {
		q.evict()
	}
	q.wake()
}

func (q *Queue) length() int { return len(q.events) - q.first }

// newest is the position of the newest event, oldest-1 if there is none.
func (q *Queue) newest() position { return q.oldest + position(q.length()) - 1 }

func (q *Queue) at(p position) *queued { return &q.events[q.first+int(p-q.oldest)] }

// evict removes the oldest event. A cursor that stands on it is told later, by
// its position.
func (q *Queue) evict() {
	if gone := &q.events[q.first]; gone.own {
		q.spare = gone.raw
	}
	q.events[q.first] = queued{}
	q.first++
	q.oldest++
	if q.first > len(q.events)/2 { // what was moved is paid for by what was evicted
		n := copy(q.events, q.events[q.first:])
		clear(q.events[n:])
		q.events, q.first = q.events[:n], 0
	}
}

// Shutdown does what unloading the module does to the queue (fm_fini): it
// empties it and ends waits with [zevent.ErrShutdown]. No module is unloaded
// while a descriptor is open.
func (q *Queue) Shutdown() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.clear()
	q.shutdown = true
	q.wake()
}

func (q *Queue) clear() (events uint64) {
	events = uint64(q.length())
	q.oldest += position(events)
	q.events, q.first = nil, 0
	return events
}

// Counters are those of /proc/spl/kstat/zfs/fm that the emulator keeps.
type Counters struct {
	Dropped    uint64 // erpt-dropped: took an EID and were not queued
	Duplicates uint64 // erpt-duplicates
}

type counters struct{ dropped, duplicates atomic.Uint64 }

// Counters returns them as they are.
func (q *Queue) Counters() Counters {
	return Counters{Dropped: q.counters.dropped.Load(), Duplicates: q.counters.duplicates.Load()}
}
