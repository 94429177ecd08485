package suite

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// maxDelivered bounds what a probe reads before it calls a queue endless. The
// module's default length is 512 events.
const maxDelivered = 1 << 14

// attempts is how often a probe looks for an empty queue: on a machine in use
// the module may post between two ioctls.
const attempts = 10

type probe struct {
	ctx      context.Context
	target   Target
	devices  []zevent.Device
	pools    []Pool
	standing Pool // that the check uses; nil if none
	undo     []func() error
	events   []zevent.Event
}

// open returns a fresh descriptor, closed when the check is over.
func (p *probe) open() (zevent.Device, error) {
	d, err := p.target.Open()
	if err != nil {
		return nil, err
	}
	p.devices = append(p.devices, d)
	return d, nil
}

// close takes away what the check made, also where it failed or was interrupted: then who knows
// in what state it left the standing pool.
func (p *probe) close(succeeded bool) error {
	if p.standing != nil && !succeeded {
		p.pools = append(p.pools, p.standing)
	}
	var errs []error
	for _, undo := range slices.Backward(p.undo) {
		errs = append(errs, undo())
	}
	for _, pool := range p.pools {
		errs = append(errs, pool.Destroy())
	}
	for _, d := range p.devices {
		if err := d.Close(); err != nil {
			errs = append(errs, fmt.Errorf("closing: %w", err))
		}
	}
	return errors.Join(errs...)
}

// fill clears the queue and raises n times, so that a fresh descriptor stands
// before the first event of the first raise, unless others post or clear too.
func (p *probe) fill(n int) ([]Raised, error) {
	d, err := p.open()
	if err != nil {
		return nil, err
	}
	if _, err := d.Clear(); err != nil {
		return nil, fmt.Errorf("CLEAR: %w", err)
	}
	raised := make([]Raised, n)
	for i := range raised {
		if raised[i], err = p.target.Raise(p.ctx); err != nil {
			return nil, fmt.Errorf("raising event %d of %d: %w", i+1, n, err)
		}
	}
	return raised, nil
}

// deliver reads a fresh descriptor until it is empty.
func (p *probe) deliver() ([]zevent.Event, error) {
	d, err := p.open()
	if err != nil {
		return nil, err
	}
	client := zevent.NewClient(d)
	var events []zevent.Event
	for len(events) < maxDelivered {
		e, err := client.Next()
		if errors.Is(err, zevent.ErrEmpty) {
			return events, nil
		}
		if err != nil {
			return nil, fmt.Errorf("NEXT after %d events: %w", len(events), err)
		}
		events = append(events, e)
	}
	return nil, fmt.Errorf("NEXT never answers ENOENT: %d events were delivered", len(events))
}

// next reads one event that must be there.
func next(d zevent.Device) (zevent.Event, error) {
	e, err := zevent.NewClient(d).Next()
	if err != nil {
		return e, fmt.Errorf("NEXT: %w", err)
	}
	return e, nil
}

// wantNext reads one event, which must be the same to the byte.
func wantNext(d zevent.Device, want zevent.Event) error {
	got, err := next(d)
	if err != nil {
		return fmt.Errorf("want EID %d: %w", want.EID, err)
	}
	if string(got.Raw) != string(want.Raw) {
		return fmt.Errorf("NEXT: got EID %d of %d bytes, want EID %d of %d bytes", got.EID, len(got.Raw), want.EID, len(want.Raw))
	}
	return nil
}

// eventually repeats try until it reports true, at most as often as attempts
// says.
func eventually(try func() (bool, error)) (bool, error) {
	for range attempts {
		if ok, err := try(); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// isEmpty tells whether NEXT answers ENOENT; it passes one event otherwise.
func isEmpty(d zevent.Device) (bool, error) {
	_, err := zevent.NewClient(d).Next()
	if errors.Is(err, zevent.ErrEmpty) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("NEXT: %w", err)
	}
	return false, nil
}
