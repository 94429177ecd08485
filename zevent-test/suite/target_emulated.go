package suite

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// EmulatedTarget is a queue of package emulator.
type EmulatedTarget struct {
	queue    *emulator.Queue
	recorded []zevent.Event
	origin   string
	pools    atomic.Uint64 // made so far
	waiting  atomic.Int32  // readers in NEXT that may sleep
	looked   atomic.Int32  // of them, those that found the queue empty
}

var (
	_ Target       = (*EmulatedTarget)(nil)
	_ Pools        = (*EmulatedTarget)(nil)
	_ Sleepers     = (*EmulatedTarget)(nil)
	_ LimitedQueue = (*EmulatedTarget)(nil)
)

// NewEmulatedTarget returns an empty queue. Raise posts the recorded events,
// one a call, and when they are used up events of its own making. origin says
// where the recorded ones came from.
func NewEmulatedTarget(recorded []zevent.Event, origin string) *EmulatedTarget {
	t := &EmulatedTarget{
		queue:    emulator.New(emulator.DefaultMaxEvents, time.Now),
		recorded: recorded,
		origin:   origin,
	}
	t.queue.AfterLook = func() { t.looked.Add(1) }
	return t
}

// Open implements [Target].
func (t *EmulatedTarget) Open() (zevent.Device, error) {
	return &emulatedDescriptor{t.queue.Open(), t}, nil
}

// emulatedDescriptor counts its sleeps.
type emulatedDescriptor struct {
	*emulator.Descriptor
	target *EmulatedTarget
}

// NextWait implements [zevent.Waiter].
func (d *emulatedDescriptor) NextWait(ctx context.Context, buf []byte) (int, uint64, error) {
	d.target.waiting.Add(1)
	defer func() {
		if d.target.waiting.Add(-1) == 0 {
			d.target.looked.Store(0)
		}
	}()
	return d.Descriptor.NextWait(ctx, buf)
}

// Sleeping implements [Sleepers]. It counts a reader from just before it falls asleep.
func (t *EmulatedTarget) Sleeping() (int, error) {
	return int(min(t.waiting.Load(), t.looked.Load())), nil
}

// Describe implements [Target].
func (t *EmulatedTarget) Describe() string {
	if t.origin == "" {
		return "emulated"
	}
	return "emulated, playing " + t.origin
}

// SetLimit implements [LimitedQueue].
func (t *EmulatedTarget) SetLimit(events uint64) (before uint64, err error) {
	p := t.queue.Parameters()
	before, p.QueueEvents = uint64(p.QueueEvents), int(events)
	t.queue.SetParameters(p)
	return before, nil
}

// Raise implements [Target].
func (t *EmulatedTarget) Raise(context.Context) (Raised, error) {
	e, err := t.post()
	if err != nil {
		return Raised{}, err
	}
	return Raised{Class: e.Class, Pool: e.Pool, EID: e.EID, NotBefore: e.Time, NotAfter: e.Time}, nil
}

func (t *EmulatedTarget) post() (zevent.Event, error) {
	if len(t.recorded) > 0 {
		e := t.recorded[0]
		t.recorded = t.recorded[1:]
		return e, t.queue.PostRecorded(e)
	}
	pool := t.newPool()
	return t.queue.Post(pool.event(poolCreateClass))
}

func (t *EmulatedTarget) newPool() *emulatedPool {
	n := t.pools.Add(1)
	return &emulatedPool{queue: t.queue, name: fmt.Sprintf("emulated-%d", n), guid: n, context: contextCreate, state: stateHealthy}
}

// CreatePool implements [Pools].
func (t *EmulatedTarget) CreatePool(ctx context.Context) (Pool, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	pool := t.newPool()
	return pool, pool.create()
}

func uint64Pair(name string, v uint64) nvlist.Pair {
	return nvlist.Pair{Name: name, Type: nvlist.Uint64, Value: v}
}
