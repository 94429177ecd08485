package emulator

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// file is one open file: what the module keeps for it, a zfs_zevent_t.
type file struct {
	cursor  position // of the event returned last; 0 is before the oldest
	dropped uint64
}

// settle notes that the event under the cursor was evicted or cleared: the
// cursor goes back to the start and counts one drop, however many events went
// since.
func (f *file) settle(q *Queue) {
	if f.cursor != 0 && f.cursor < q.oldest {
		f.cursor = 0
		f.dropped++
	}
}

// Descriptor is one descriptor of an open file.
type Descriptor struct {
	queue   *Queue
	file    *file
	closed  atomic.Bool
	closing context.Context // ends the waits of this descriptor
	end     context.CancelFunc
}

var (
	_ zevent.Waiter     = (*Descriptor)(nil)
	_ zevent.Duplicator = (*Descriptor)(nil)
)

// ErrClosed is returned by the methods of a closed descriptor. It is an EBADF.
var ErrClosed = fmt.Errorf("emulated event queue: descriptor is closed: %w", syscall.EBADF)

// Open returns a descriptor whose cursor is before the oldest event.
func (q *Queue) Open() *Descriptor { return newDescriptor(q, &file{}) }

func newDescriptor(q *Queue, f *file) *Descriptor {
	d := &Descriptor{queue: q, file: f}
	d.closing, d.end = context.WithCancel(context.Background())
	return d
}

// lock takes the lock of the queue and settles the cursor, unless d is closed.
func (d *Descriptor) lock() error {
	if d.closed.Load() {
		return ErrClosed
	}
	d.queue.mu.Lock()
	d.file.settle(d.queue)
	return nil
}

// Next implements [zevent.Device]. Without Nonblock only an event, Close or
// [Queue.Shutdown] ends its wait.
func (d *Descriptor) Next(buf []byte, flags zevent.NextFlags) (n int, dropped uint64, err error) {
	if flags&zevent.Nonblock == 0 {
		return d.NextWait(context.Background(), buf)
	}
	return d.look(buf)
}

// look is zfs_zevent_next.
func (d *Descriptor) look(buf []byte) (n int, dropped uint64, err error) {
	if err := d.lock(); err != nil {
		return 0, 0, err
	}
	q, f := d.queue, d.file
	defer q.mu.Unlock()
	next := max(f.cursor+1, q.oldest)
	if next > q.newest() {
		return 0, 0, zevent.ErrEmpty
	}
	raw := q.at(next).raw
	if len(raw) > len(buf) {
		return 0, 0, &zevent.BufferTooSmallError{NeedBytes: uint64(len(raw))}
	}
	dropped = f.dropped + q.limited
	f.cursor, f.dropped, q.limited = next, 0, 0
	return copy(buf, raw), dropped, nil
}

// NextWait implements [zevent.Waiter]. It is the loop of zfs_ioc_events_next.
func (d *Descriptor) NextWait(ctx context.Context, buf []byte) (n int, dropped uint64, err error) {
	for {
		n, dropped, err := d.look(buf)
		if !errors.Is(err, zevent.ErrEmpty) {
			return n, dropped, err
		}
		if after := d.queue.AfterLook; after != nil {
			after()
		}
		if err := d.wait(ctx); err != nil {
			return 0, 0, err
		}
	}
}

// Clear implements [zevent.Device].
func (d *Descriptor) Clear() (uint64, error) {
	if err := d.lock(); err != nil {
		return 0, err
	}
	defer d.queue.mu.Unlock()
	return d.queue.clear(), nil
}

// Seek implements [zevent.Device].
func (d *Descriptor) Seek(eid uint64) error {
	if err := d.lock(); err != nil {
		return err
	}
	q := d.queue
	defer q.mu.Unlock()
	switch eid {
	case zevent.SeekStart:
		d.file.cursor = 0
		return nil
	case zevent.SeekEnd:
		d.file.cursor = 0
		if q.length() > 0 {
			d.file.cursor = q.newest()
		}
		return nil
	}
	for p := q.oldest; p <= q.newest(); p++ {
		if q.at(p).eid == eid {
			d.file.cursor = p
			return nil
		}
	}
	return fmt.Errorf("seeking to EID %d: %w", eid, zevent.ErrUnknownEID)
}

// Dup implements [zevent.Duplicator].
func (d *Descriptor) Dup() (zevent.Device, error) {
	if d.closed.Load() {
		return nil, ErrClosed
	}
	return newDescriptor(d.queue, d.file), nil
}

// Close implements [zevent.Device]. It ends the waits of this descriptor with
// [zevent.ErrInterrupted], as closing a [zevent.KernelDevice] does.
func (d *Descriptor) Close() error {
	if d.closed.Swap(true) {
		return ErrClosed
	}
	d.end()
	return nil
}
