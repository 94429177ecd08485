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
	standing *emulatedPool // nil before one is needed
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
	return &EmulatedTarget{
		queue:    emulator.New(emulator.DefaultMaxEvents, time.Now),
		recorded: recorded,
		origin:   origin,
	}
}

// Open implements [Target].
func (t *EmulatedTarget) Open() (zevent.Device, error) { return t.queue.Open(), nil }

// Sleeping implements [Sleepers].
func (t *EmulatedTarget) Sleeping() (int, error) { return t.queue.Sleeping(), nil }

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
	return t.queue.Post(pool.event(configSyncClass))
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

// StandingPool implements [Pools].
func (t *EmulatedTarget) StandingPool(ctx context.Context) (Pool, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if t.standing == nil || t.standing.gone {
		t.standing = t.newPool()
		if err := t.standing.create(); err != nil {
			return nil, err
		}
	}
	return t.standing, nil
}

// Close implements [Target]. There is nothing to take away.
func (t *EmulatedTarget) Close() error { return nil }

func uint64Pair(name string, v uint64) nvlist.Pair {
	return nvlist.Pair{Name: name, Type: nvlist.Uint64, Value: v}
}
