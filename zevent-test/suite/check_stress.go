package suite

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
)

const (
	stressReaders = 3
	stressPosters = 3
	stressPosts   = 32   // of each poster
	stressEvents  = 4096 // the length of the queue: many times what is posted
)

var stressCheck = Check{
	Name: "stress",
	Asserts: "Readers that block in NEXT while a scrub finds errors and several threads have events posted are given every event, once, " +
		"all in the same order.",
	Source: "module/zfs/fm.c (zfs_zevent_insert, zfs_zevent_next, zfs_zevent_wait), every release; a reader may need a later post to wake",
	run: func(p *probe) error {
		if err := p.withLimit(stressEvents); err != nil {
			return err
		}
		w, err := p.withPool([]step{{do: FailReads}})
		if err != nil {
			return err
		}
		if _, err := w.client.Clear(); err != nil {
			return fmt.Errorf("CLEAR: %w", err)
		}
		readers, err := p.startReaders()
		if err != nil {
			return err
		}
		defer readers.end()
		posts, err := w.storm()
		if err != nil {
			return err
		}
		all, err := p.deliver()
		if err != nil {
			return err
		}
		if len(all) < posts {
			return fmt.Errorf("%d posts queued %d events", posts, len(all))
		}
		if err := readers.finish(w, all); err != nil {
			return err
		}
		return readers.wantAll(all)
	},
}

// storm has events posted by several threads at a time and returns how many at least.
func (w *watchedPool) storm() (posts int, err error) {
	errs := make([]error, stressPosters)
	var posters sync.WaitGroup
	for i := range errs {
		posters.Go(func() { errs[i] = w.post(stressPosts) })
	}
	scrub := w.take([]step{{do: Scrub, want: failSteps[1].want}})
	posters.Wait()
	return stressPosters*stressPosts + len(failSteps[1].want), errors.Join(append(errs, scrub)...)
}

// blockedReaders block in NEXT, each on a cursor of its own.
type blockedReaders struct {
	lastEID atomic.Uint64 // of the events that count; 0 while they are posted
	end     func()        // interrupts those that still block
	stopped chan struct{} // a value for each that stopped
	results []readerResult
}

type readerResult struct {
	events []zevent.Event
	err    error
}

func (p *probe) startReaders() (*blockedReaders, error) {
	var waiters []zevent.Waiter
	for range stressReaders {
		d, err := p.open()
		if err != nil {
			return nil, err
		}
		waiter, ok := d.(zevent.Waiter)
		if !ok {
			return nil, &skipError{"this target's NEXT does not sleep"}
		}
		waiters = append(waiters, waiter)
	}
	r := &blockedReaders{results: make([]readerResult, stressReaders), stopped: make(chan struct{}, stressReaders)}
	ctx, cancel := context.WithCancel(p.ctx)
	r.end = cancel
	for i, waiter := range waiters {
		go func() {
			r.results[i].events, r.results[i].err = r.read(ctx, waiter)
			r.stopped <- struct{}{}
		}()
	}
	return r, nil
}

// read blocks in NEXT until it is given an event behind the last that counts.
func (r *blockedReaders) read(ctx context.Context, d zevent.Waiter) (events []zevent.Event, err error) {
	buf := make([]byte, zevent.MaxEventBytes)
	for len(events) < maxDelivered {
		n, dropped, err := d.NextWait(ctx, buf)
		if interrupted(err) && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return events, fmt.Errorf("NEXT after %d events: %w", len(events), err)
		}
		e, err := zevent.Decode(append([]byte(nil), buf[:n]...), dropped)
		if err != nil {
			return events, err
		}
		if last := r.lastEID.Load(); last != 0 && e.EID > last {
			return events, nil
		}
		events = append(events, e)
	}
	return events, fmt.Errorf("NEXT never waits: %d events were delivered", len(events))
}

// finish waits until the readers have all events, with posts that wake those whose
// wake-up was lost.
func (r *blockedReaders) finish(w *watchedPool, all []zevent.Event) error {
	last := uint64(0)
	for _, e := range all {
		last = max(last, e.EID)
	}
	r.lastEID.Store(last)
	reading := stressReaders
	for pause := range wakeUps() {
		if err := w.post(1); err != nil {
			return err
		}
		for woken := time.After(pause); reading > 0 && woken != nil; {
			select {
			case <-r.stopped:
				reading--
			case <-woken:
				woken = nil
			}
		}
		if reading == 0 {
			return nil
		}
	}
	return fmt.Errorf("%d of %d readers still block %v after the last of %d events", reading, stressReaders, patience, len(all))
}

// wantAll wants each reader to have been given the events in their order. One may have been given
// more, that others have posted.
func (r *blockedReaders) wantAll(all []zevent.Event) error {
	for i, result := range r.results {
		if result.err != nil {
			return fmt.Errorf("reader %d: %w", i+1, result.err)
		}
		for j, want := range all {
			if j == len(result.events) {
				return fmt.Errorf("reader %d was given %d events, want %d", i+1, j, len(all))
			}
			if got := result.events[j]; string(got.Raw) != string(want.Raw) {
				return fmt.Errorf("reader %d was given EID %d as event %d, want EID %d", i+1, got.EID, j+1, want.EID)
			}
		}
	}
	return nil
}
