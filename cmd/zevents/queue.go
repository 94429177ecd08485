package main

import (
	"context"
	"errors"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// pollInterval is how often a follower looks for events. Waiting for one in the kernel can
// miss it: in every release an event that comes between the look at the queue and the
// sleep does not end the sleep.
const pollInterval = time.Second

// consumer takes what readQueue reads.
type consumer interface {
	event(zevent.Event) error
	// unreadable takes an event that cannot be decoded, with what is known of it.
	unreadable(zevent.Event, error) error
	// idle is called at the end of the queue.
	idle() error
}

// readQueue reads from the device's cursor to the end of the queue, and if it is to follow,
// what comes, until ctx ends.
func readQueue(ctx context.Context, device zevent.Device, follow bool, c consumer) error {
	client := zevent.NewClient(device)
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		e, err := client.Next()
		switch {
		case err == nil:
			err = c.event(e)
		case errors.Is(err, zevent.ErrEmpty):
			if err := c.idle(); err != nil || !follow {
				return err
			}
			select {
			case <-ctx.Done():
			case <-ticker.C:
			}
			continue
		case e.Raw != nil:
			err = c.unreadable(e, err)
		}
		if err != nil {
			return err
		}
	}
	if follow {
		return nil
	}
	return errInterrupted
}

var errInterrupted = errors.New("interrupted")
