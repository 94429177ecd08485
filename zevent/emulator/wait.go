package emulator

import (
	"context"
	"syscall"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// waiter is a reader that sleeps on zevent_cv.
type waiter struct{ woken chan struct{} }

// wait is zfs_zevent_wait: it sleeps until the queue is woken and has an event,
// without a look at the queue before. Releases before 0.8 return from the first
// wake-up, and their caller sleeps again; that makes no difference.
func (d *Descriptor) wait(ctx context.Context) error {
	q := d.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if q.shutdown {
			return waitError(zevent.ErrShutdown, syscall.ESHUTDOWN, "open the device when the module is loaded again")
		}
		if !q.sleep(ctx, d.closing) {
			return waitError(zevent.ErrInterrupted, syscall.EINTR, "call again")
		}
		if q.length() > 0 {
			return nil
		}
	}
}

// sleep releases the lock until the queue is woken, or reports false because a
// context ended.
func (q *Queue) sleep(ctx, closing context.Context) (woken bool) {
	w := &waiter{woken: make(chan struct{})}
	q.waiters[w] = struct{}{}
	q.mu.Unlock()
	select {
	case <-w.woken:
	case <-ctx.Done():
	case <-closing.Done():
	}
	q.mu.Lock()
	delete(q.waiters, w)
	// A signal goes before a wake-up: signal_pending.
	return ctx.Err() == nil && closing.Err() == nil
}

// wake wakes every waiter: cv_broadcast.
func (q *Queue) wake() {
	for w := range q.waiters {
		close(w.woken)
		delete(q.waiters, w)
	}
}

// Sleeping returns how many readers sleep now: each is woken by the next post.
func (q *Queue) Sleeping() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiters)
}

func waitError(kind error, errno syscall.Errno, hint string) error {
	return &zevent.DeviceError{Op: "waiting for an event", Path: "emulated event queue", Kind: kind, Errno: errno, Hint: hint}
}
