package zevent

import (
	"errors"
	"fmt"
	"syscall"
)

// Client reads decoded events from a Device. It is for one goroutine.
type Client struct {
	device Device
	buf    []byte
}

// NewClient returns a reader at the device's cursor. The device stays the
// caller's, to seek, clear and close.
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
		var small *BufferTooSmallError
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.As(err, &small):
			if err := c.grow(small.NeedBytes); err != nil {
				return Event{}, err
			}
			continue
		case err != nil:
			return Event{}, err
		}
		return Decode(append([]byte(nil), c.buf[:n]...), dropped)
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
