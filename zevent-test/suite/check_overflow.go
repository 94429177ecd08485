package suite

import (
	"fmt"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// LimitedQueue is a Target whose queue's length can be set.
type LimitedQueue interface {
	// SetLimit sets the most events that are queued, of posts from now on, and returns
	// what it was.
	SetLimit(events uint64) (before uint64, err error)
}

// withLimit sets the queue's length until the check is over.
func (p *probe) withLimit(events uint64) error {
	queue, ok := p.target.(LimitedQueue)
	if !ok {
		return &skipError{"this target's queue has a fixed length"}
	}
	before, err := queue.SetLimit(events)
	if err != nil {
		return fmt.Errorf("setting the length of the queue to %d: %w", events, err)
	}
	p.undo = append(p.undo, func() error {
		if _, err := queue.SetLimit(before); err != nil {
			return fmt.Errorf("setting the length of the queue back to %d: %w", before, err)
		}
		return nil
	})
	return nil
}

const (
	shortQueueEvents = 4
	overflowPosts    = 3 * shortQueueEvents
)

var overflowCheck = Check{
	Name: "overflow",
	Asserts: "A queue of 4 events keeps the 4 newest; a reader that stood on an evicted one goes on with the oldest " +
		"that is kept, sees a gap in the EIDs, and is told of a drop.",
	Source: "module/zfs/fm.c (zfs_zevent_insert, zfs_zevent_drain; parameter zfs_zevent_len_max), every release",
	run: func(p *probe) error {
		w, err := p.withStandingPool(nil)
		if err != nil {
			return err
		}
		d, err := p.open()
		if err != nil {
			return err
		}
		if _, err := d.Clear(); err != nil {
			return fmt.Errorf("CLEAR: %w", err)
		}
		if err := p.withLimit(shortQueueEvents); err != nil {
			return err
		}
		if err := w.post(1); err != nil {
			return err
		}
		first, err := next(d)
		if err != nil {
			return err
		}
		if err := w.post(overflowPosts); err != nil {
			return err
		}
		return p.wantOverflowed(d, first)
	},
}

// post has so many events posted.
func (w *watchedPool) post(times int) error {
	for range times {
		if err := w.probe.ctx.Err(); err != nil {
			return err
		}
		if err := w.pool.Do(Post); err != nil {
			return err
		}
	}
	return nil
}

func (p *probe) wantOverflowed(d zevent.Device, read zevent.Event) error {
	kept, err := p.deliver()
	if err != nil {
		return err
	}
	p.events = append([]zevent.Event{read}, kept...)
	if len(kept) < shortQueueEvents {
		return fmt.Errorf("a queue of %d events keeps %d after %d posts", shortQueueEvents, len(kept), overflowPosts)
	}
	e, err := next(d)
	if err != nil {
		return err
	}
	switch {
	case e.EID <= read.EID+1:
		return fmt.Errorf("the reader, after EID %d and %d posts to a queue of %d: got EID %d, want a gap", read.EID, overflowPosts, shortQueueEvents, e.EID)
	case e.Dropped == 0:
		return fmt.Errorf("the reader, after the event under its cursor was evicted: got EID %d with 0 drops, want 1 at least", e.EID)
	}
	cleared, err := d.Clear()
	if err != nil {
		return fmt.Errorf("CLEAR: %w", err)
	}
	if cleared != shortQueueEvents {
		return fmt.Errorf("CLEAR of a queue of %d events that overflowed: got %d", shortQueueEvents, cleared)
	}
	return nil
}
