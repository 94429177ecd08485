package emulator_test

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
)

// waited is how a read without Nonblock ended.
type waited struct {
	n   int
	err error
}

func wait(ctx context.Context, d zevent.Waiter) <-chan waited {
	done := make(chan waited, 1)
	go func() {
		n, _, err := d.NextWait(ctx, make([]byte, zevent.MaxEventBytes))
		done <- waited{n, err}
	}()
	return done
}

func TestWaitEnds(t *testing.T) {
	tests := []struct {
		name  string
		end   func(*emulator.Queue, *emulator.Descriptor, context.CancelFunc)
		want  error
		errno syscall.Errno
	}{
		{"an event", func(q *emulator.Queue, _ *emulator.Descriptor, _ context.CancelFunc) { post(t, q, "c") }, nil, 0},
		{"the context", func(_ *emulator.Queue, _ *emulator.Descriptor, cancel context.CancelFunc) { cancel() }, zevent.ErrInterrupted, syscall.EINTR},
		{"Close", func(_ *emulator.Queue, d *emulator.Descriptor, _ context.CancelFunc) { _ = d.Close() }, zevent.ErrInterrupted, syscall.EINTR},
		{"Shutdown", func(q *emulator.Queue, _ *emulator.Descriptor, _ context.CancelFunc) { q.Shutdown() }, zevent.ErrShutdown, syscall.ESHUTDOWN},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := emulator.New(8, clock)
				d := q.Open()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				done := wait(ctx, d)
				synctest.Wait()
				select {
				case got := <-done:
					t.Fatalf("ended before: %+v", got)
				default:
				}
				if n := q.Sleeping(); n != 1 {
					t.Errorf("%d readers sleep, want 1", n)
				}
				test.end(q, d, cancel)
				got := <-done
				if n := q.Sleeping(); n != 0 {
					t.Errorf("%d readers sleep after the end, want none", n)
				}
				if !errors.Is(got.err, test.want) || test.errno != 0 && !errors.Is(got.err, test.errno) || (got.n > 0) != (test.want == nil) {
					t.Errorf("got %d bytes, error %v, want %v", got.n, got.err, test.want)
				}
			})
		})
	}
}

// A reader at the end of a queue that has events sleeps on.
func TestWaitBehindTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := emulator.New(8, clock)
		post(t, q, "c")
		d := q.Open()
		wantRead(t, d, []uint64{1}, []uint64{0})
		done := wait(t.Context(), d)
		synctest.Wait()
		if len(done) > 0 {
			t.Fatalf("ended: %+v", <-done)
		}
		post(t, q, "c")
		if got := <-done; got.err != nil {
			t.Error(got.err)
		}
	})
}

// lossyQueue posts an event between the look and the sleep, once.
func lossyQueue(t *testing.T) *emulator.Queue {
	q := emulator.New(8, clock)
	lost := false
	q.AfterLook = func() {
		if !lost {
			lost = true
			post(t, q, "c")
		}
	}
	return q
}

func TestWakeUpIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := lossyQueue(t)
		done := wait(t.Context(), q.Open())
		synctest.Wait()
		if len(done) > 0 {
			t.Fatalf("the event that came before the sleep ended it: %+v", <-done)
		}
		post(t, q, "c")
		if got := <-done; got.err != nil {
			t.Error(got.err)
		}
	})
}

// The client reads a lost event all the same.
func TestClientCuresLostWakeUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		e, err := zevent.NewClient(lossyQueue(t).Open()).Wait(t.Context())
		if err != nil || e.EID != 1 {
			t.Fatalf("got EID %d, %v, want 1", e.EID, err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v, want the second after which the client looks again", took)
		}
	})
}
