package suite

import (
	"context"
	"fmt"
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
	pools    int
}

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

// Describe implements [Target].
func (t *EmulatedTarget) Describe() string {
	if t.origin == "" {
		return "emulated"
	}
	return "emulated, playing " + t.origin
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
	t.pools++
	return t.queue.Post(poolCreated(fmt.Sprintf("emulated-%d", t.pools), uint64(t.pools)))
}

// poolCreated is the event of a new pool as 2.1 posts it, before time and eid.
func poolCreated(pool string, guid uint64) nvlist.List {
	const spaLoadCreate = 6 // SPA_LOAD_CREATE
	return nvlist.New(
		nvlist.Pair{Name: "version", Type: nvlist.Uint8, Value: uint8(0)},
		nvlist.Pair{Name: "class", Type: nvlist.String, Value: poolCreateClass},
		nvlist.Pair{Name: "pool", Type: nvlist.String, Value: pool},
		nvlist.Pair{Name: "pool_guid", Type: nvlist.Uint64, Value: guid},
		nvlist.Pair{Name: "pool_state", Type: nvlist.Uint64, Value: uint64(0)},
		nvlist.Pair{Name: "pool_context", Type: nvlist.Int32, Value: int32(spaLoadCreate)},
	)
}
