package suite

import (
	"context"
	"errors"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/differential"
)

// Compared is a Target that package differential compares the emulator with.
type Compared interface {
	// Compare runs so many random operations on the target and on an emulated queue, and returns
	// the first that they answer differently, nil if there is none. post has one event posted.
	Compare(ctx context.Context, seed uint64, operations int, post func(context.Context) error) (*differential.Difference, error)
}

// The sequence is the same in each run, so that a difference can be looked at again.
const (
	differentialSeed       = 1
	differentialOperations = 192
)

var differentialCheck = Check{
	Name: "differential",
	Asserts: "A random sequence of opens, duplicates, closes, reads into buffers of any size, seeks, clears, posts and lengths of the queue " +
		"has the same answers, to the errno, the size, the drops and the bytes, from the module and from the emulator that zevents and its tests use.",
	Source: "module/zfs/fm.c as package emulator has it, every release",
	run: func(p *probe) error {
		target, ok := p.target.(Compared)
		if !ok {
			return &skipError{"this target is the emulator, which others are compared with"}
		}
		w, err := p.withStandingPool(nil)
		if err != nil {
			return err
		}
		difference, err := target.Compare(p.ctx, differentialSeed, differentialOperations, func(context.Context) error { return w.post(1) })
		switch {
		case errors.Is(err, differential.ErrDisturbed):
			return &skipError{err.Error()}
		case err != nil:
			return err
		case difference != nil:
			return errors.New(difference.String())
		}
		return nil
	},
}

// comparedQueue is the queue of the loaded module for package differential.
type comparedQueue struct {
	target *DeviceTarget
	post   func(context.Context) error
}

var _ differential.Real = comparedQueue{}

func (q comparedQueue) Open() (differential.Descriptor, error) {
	d, err := zevent.Open(q.target.devicePath)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func (q comparedQueue) SetQueueEvents(n int) (before int, err error) {
	was, err := q.target.SetLimit(uint64(n))
	return int(was), err
}

func (q comparedQueue) Post(ctx context.Context) error { return q.post(ctx) }
