package zevent

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// Client reads decoded events from a Device. It is for one goroutine.
type Client struct {
	device Device
	buf    []byte
	gaps   Gaps
}

// NewClient returns a reader at the device's cursor. The device stays the
// caller's to close. What moves the cursor but the Client, such as a
// duplicate of the descriptor, shows as gaps.
func NewClient(d Device) *Client {
	return &Client{device: d, buf: make([]byte, MaxEventBytes)}
}

// maxBufferBytes bounds what a device can make a client allocate.
const maxBufferBytes = 1 << 20

// Next returns the event behind the cursor, or [ErrEmpty] when there is none.
// It grows its buffer as the device asks, and calls again when a signal
// interrupted it. An event that cannot be decoded comes with an error and its
// Raw bytes; the cursor has passed it, so the next call gives the next event.
func (c *Client) Next() (Event, error) {
	for {
		n, dropped, err := c.device.Next(c.buf, Nonblock)
		if e, again, err := c.take(n, dropped, err); !again {
			return e, err
		}
	}
}

// How long Wait sleeps before it looks again. The first is what a wake-up that
// the kernel lost costs; the others are of a device that cannot wait, and
// double from the one to the other.
const (
	lookAgainAfter   = time.Second
	shortestPollWait = time.Millisecond
	longestPollWait  = 250 * time.Millisecond
)

// Wait returns the event behind the cursor, and waits for one where there is
// none. The other errors are those of Next, and the cause of ctx's end.
//
// No wake-up is missed. In every release the kernel loses one for an event
// that is posted between its look at the queue and its sleep; so the sleep of a
// [Waiter] ends after a second at the latest and the queue is looked at again.
// That costs one wake-up a second, and an event in that window comes up to a
// second late; any other comes at once, which matters as the queue is short:
// a burst of events has to be read while it lasts. Any other Device is
// polled, with pauses of 1 ms that double up to 250 ms.
func (c *Client) Wait(ctx context.Context) (Event, error) {
	waiter, _ := c.device.(Waiter)
	for pause := shortestPollWait; ; pause = min(2*pause, longestPollWait) {
		if ctx.Err() != nil {
			return Event{}, context.Cause(ctx)
		}
		if e, err := c.Next(); !errors.Is(err, ErrEmpty) {
			return e, err
		}
		if waiter == nil {
			sleep(ctx, pause)
		} else if e, again, err := c.waitIn(ctx, waiter); !again {
			return e, err
		}
	}
}

func (c *Client) waitIn(ctx context.Context, w Waiter) (e Event, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookAgainAfter)
	defer cancel()
	n, dropped, err := w.NextWait(ctx, c.buf)
	return c.take(n, dropped, err)
}

// take decodes what a read returned. again says that the buffer was too small,
// or a signal came.
func (c *Client) take(n int, dropped uint64, err error) (e Event, again bool, _ error) {
	var small *BufferTooSmallError
	switch {
	case errors.Is(err, syscall.EINTR):
		return Event{}, true, nil
	case errors.As(err, &small):
		err := c.grow(small.NeedBytes)
		return Event{}, err == nil, err
	case err != nil:
		return Event{}, false, err
	}
	e, err = Decode(append([]byte(nil), c.buf[:n]...), dropped)
	if err == nil {
		c.gaps.Deliver(e.EID)
	}
	return e, false, err
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func (c *Client) grow(need uint64) error {
	if need <= uint64(len(c.buf)) || need > maxBufferBytes {
		return fmt.Errorf("reading event: the device refuses a buffer of %d bytes and asks for %d, want more and at most %d; compare /sys/module/zfs/version",
			len(c.buf), need, maxBufferBytes)
	}
	c.buf = make([]byte, need)
	return nil
}

// Seek puts the cursor on an event, as [Device.Seek] does. From then on the
// gaps behind that event are counted, anew.
func (c *Client) Seek(eid uint64) error {
	if err := c.device.Seek(eid); err != nil {
		return err
	}
	c.gaps = Gaps{}
	if eid != SeekStart && eid != SeekEnd {
		c.gaps.Deliver(eid)
	}
	return nil
}

// Clear empties the queue for every reader on the machine, as [Device.Clear]
// does. What was not read before shows as a gap.
func (c *Client) Clear() (events uint64, err error) { return c.device.Clear() }

// Gaps returns the EIDs that were passed over since NewClient or Seek, which
// the caller may read until the next call of a method.
func (c *Client) Gaps() *Gaps { return &c.gaps }
