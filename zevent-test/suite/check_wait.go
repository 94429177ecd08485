package suite

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"syscall"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// Sleepers is a Target that tells how many readers of this process sleep in
// NEXT, so that a check of what ends a sleep knows that there was one.
type Sleepers interface {
	Sleeping() (readers int, err error)
}

var blockingWakesCheck = Check{
	Name:    "blocking-wakes",
	Asserts: "NEXT without ZEVENT_NONBLOCK sleeps on an empty queue and returns the event that is posted then.",
	Source:  "module/zfs/fm.c (zfs_zevent_wait, zfs_zevent_insert), every release; an event posted between the look at the queue and the sleep may need a later one to wake",
	run: func(p *probe) error {
		s, err := p.sleep()
		if err != nil {
			return err
		}
		defer s.end()
		for pause := range wakeUps() {
			if _, err := p.target.Raise(p.ctx); err != nil {
				return err
			}
			if a, returned := s.within(pause); returned {
				return p.wantWoken(a)
			}
		}
		return fmt.Errorf("NEXT still sleeps %v after the first of several posts", patience)
	},
}

// wakeUps yields how long to wait for woken readers after each post, until patience ends. More than one post
// may be needed, as a wake-up may be lost.
func wakeUps() iter.Seq[time.Duration] {
	const first, longest = 10 * time.Millisecond, time.Second
	return func(yield func(time.Duration) bool) {
		deadline := time.Now().Add(patience)
		for pause := first; time.Now().Before(deadline); pause = min(2*pause, longest) {
			if !yield(pause) {
				return
			}
		}
	}
}

// wantWoken wants the reader to have been given what a fresh descriptor is given.
func (p *probe) wantWoken(a answer) error {
	if a.err != nil {
		return fmt.Errorf("NEXT after a post: %w", a.err)
	}
	d, err := p.open()
	if err != nil {
		return err
	}
	want, err := next(d)
	if err != nil {
		return err
	}
	if string(a.event) != string(want.Raw) {
		return fmt.Errorf("NEXT woke with %d bytes other than the event of %d bytes that a fresh descriptor is given first (EID %d)", len(a.event), len(want.Raw), want.EID)
	}
	return nil
}

var blockingEINTRCheck = Check{
	Name:    "blocking-eintr",
	Asserts: "NEXT that sleeps returns EINTR on a signal, also where the handler asks to restart system calls, and has passed no event.",
	Source:  "module/zfs/fm.c (zfs_zevent_wait: cv_wait_sig, EINTR), every release",
	run: func(p *probe) error {
		s, err := p.sleep()
		if err != nil {
			return err
		}
		s.signal()
		a, returned := s.within(patience)
		switch {
		case !returned:
			return fmt.Errorf("NEXT sleeps on, %v after the first of the signals", patience)
		case !interrupted(a.err):
			return fmt.Errorf("NEXT after a signal: got error %v, want EINTR", a.err)
		}
		if _, err := p.target.Raise(p.ctx); err != nil {
			return err
		}
		fresh, err := p.open()
		if err != nil {
			return err
		}
		first, err := next(fresh)
		if err != nil {
			return err
		}
		if err := wantNext(s.device, first); err != nil {
			return fmt.Errorf("after EINTR and a post: %w", err)
		}
		return nil
	},
}

func interrupted(err error) bool {
	return errors.Is(err, syscall.EINTR) || errors.Is(err, zevent.ErrInterrupted)
}

// answer is what a NEXT that could sleep returned.
type answer struct {
	event []byte
	err   error
}

// sleeper is a reader that sleeps, or slept, in NEXT.
type sleeper struct {
	device  zevent.Waiter
	signal  func() // sends signals until NEXT returns
	answers chan answer
}

// within returns NEXT's answer if it comes in time.
func (s *sleeper) within(d time.Duration) (answer, bool) {
	select {
	case a := <-s.answers:
		return a, true
	case <-time.After(d):
		return answer{}, false
	}
}

// end ends a sleep that a failed check leaves.
func (s *sleeper) end() { s.signal() }

// sleep returns a reader of an empty queue that has been seen asleep.
func (p *probe) sleep() (*sleeper, error) {
	sleepers, ok := p.target.(Sleepers)
	if !ok {
		return nil, &skipError{"this target does not tell whether a reader sleeps"}
	}
	for range attempts { // others may post
		s, err := p.startSleeper()
		if err != nil {
			return nil, err
		}
		asleep, err := p.seenAsleep(sleepers, s)
		if asleep || err != nil {
			return s, err
		}
	}
	return nil, fmt.Errorf("NEXT without ZEVENT_NONBLOCK returned from an empty queue at each of %d attempts, want it to sleep", attempts)
}

// startSleeper empties the queue and has a reader wait for an event.
func (p *probe) startSleeper() (*sleeper, error) {
	d, err := p.open()
	if err != nil {
		return nil, err
	}
	waiter, ok := d.(zevent.Waiter)
	if !ok {
		return nil, &skipError{"this target's NEXT does not sleep"}
	}
	if _, err := d.Clear(); err != nil {
		return nil, fmt.Errorf("CLEAR: %w", err)
	}
	ctx, cancel := context.WithCancel(p.ctx)
	s := &sleeper{device: waiter, signal: cancel, answers: make(chan answer, 1)}
	go func() {
		buf := make([]byte, zevent.MaxEventBytes)
		n, _, err := waiter.NextWait(ctx, buf)
		for interrupted(err) && ctx.Err() == nil { // by a signal of others
			n, _, err = waiter.NextWait(ctx, buf)
		}
		s.answers <- answer{buf[:n], err}
	}()
	return s, nil
}

// seenAsleep tells whether the reader was seen asleep before it returned.
func (p *probe) seenAsleep(sleepers Sleepers, s *sleeper) (bool, error) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if readers, err := sleepers.Sleeping(); readers > 0 || err != nil {
			return true, err
		}
		if a, returned := s.within(time.Millisecond); returned {
			return false, a.err
		}
	}
	s.end()
	return false, fmt.Errorf("NEXT on an empty queue neither slept nor returned within %v", patience)
}
