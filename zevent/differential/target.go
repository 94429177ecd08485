package differential

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
)

// Descriptor is an open descriptor of either side.
type Descriptor interface {
	zevent.Waiter
	zevent.Duplicator
}

// Queue is what both sides can do.
type Queue interface {
	// Open returns a new descriptor.
	Open() (Descriptor, error)
	// SetQueueEvents sets zfs_zevent_len_max, and returns what it was.
	SetQueueEvents(n int) (before int, err error)
}

// Real is the queue that is right.
type Real interface {
	Queue
	// Post has an event posted before it returns, and none later.
	Post(context.Context) error
}

// Emulated is the queue that is to answer the same.
type Emulated interface {
	Queue
	// PostRecorded posts an event with its time and EID.
	PostRecorded(zevent.Event) error
}

// Module is the queue of the loaded module.
type Module struct {
	Device    string                      // normally /dev/zfs
	Parameter string                      // normally /sys/module/zfs/parameters/zfs_zevent_len_max
	Poster    func(context.Context) error // Real.Post: does something to an idle pool that posts one event
}

// Open implements [Queue].
func (m *Module) Open() (Descriptor, error) {
	d, err := zevent.Open(m.Device)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// SetQueueEvents implements [Queue].
func (m *Module) SetQueueEvents(n int) (before int, err error) {
	text, err := os.ReadFile(m.Parameter)
	if err != nil {
		return 0, fmt.Errorf("reading the length of the event queue: %w", err)
	}
	if before, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		return 0, fmt.Errorf("reading the length of the event queue: %s: %w", m.Parameter, err)
	}
	if err := os.WriteFile(m.Parameter, []byte(strconv.Itoa(n)), 0o644); err != nil {
		return 0, fmt.Errorf("setting the length of the event queue: %w", err)
	}
	return before, nil
}

// Post implements [Real].
func (m *Module) Post(ctx context.Context) error { return m.Poster(ctx) }

// Emulator is the queue of package emulator.
type Emulator struct{ *emulator.Queue }

// Open implements [Queue].
func (e Emulator) Open() (Descriptor, error) { return e.Queue.Open(), nil }

// SetQueueEvents implements [Queue].
func (e Emulator) SetQueueEvents(n int) (before int, err error) {
	p := e.Parameters()
	before, p.QueueEvents = p.QueueEvents, n
	e.SetParameters(p)
	return before, nil
}
