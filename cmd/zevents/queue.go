package main

import (
	"context"
	"errors"

	"github.com/kmodaudit/kmodaudit/zevent"
)

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
	for ctx.Err() == nil {
		e, err := client.Next()
		if errors.Is(err, zevent.ErrEmpty) {
			if err := c.idle(); err != nil || !follow {
				return err
			}
			e, err = client.Wait(ctx)
		}
		switch {
		case err == nil:
			err = c.event(e)
		case e.Raw != nil:
			err = c.unreadable(e, err)
		case ctx.Err() != nil:
			continue
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
