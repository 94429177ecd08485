package suite

import (
	"errors"
	"fmt"
	"math"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// neverEID is an EID that no module reaches; the highest one means the end.
const neverEID = math.MaxUint64 - 1

var seekCheck = Check{
	Name: "seek",
	Asserts: "SEEK to the start redelivers the first event, to an EID the event behind it, to the end none; " +
		"to an EID that was never posted or was cleared it answers ENOENT and leaves the cursor.",
	Source: "module/zfs/fm.c (zfs_zevent_seek), since 0.6.3",
	run: func(p *probe) error {
		if _, err := p.fill(2); err != nil {
			return err
		}
		events, err := p.deliver()
		if err != nil {
			return err
		}
		if len(events) < 2 {
			return fmt.Errorf("two events were raised, %d delivered", len(events))
		}
		d, err := p.open()
		if err != nil {
			return err
		}
		first, second := events[0], events[1]
		if err := seekAndRead(d, zevent.SeekStart, first); err != nil {
			return fmt.Errorf("to the start: %w", err)
		}
		// From the start, so that a SEEK that does nothing is seen.
		if err := d.Seek(zevent.SeekStart); err != nil {
			return fmt.Errorf("to the start: %w", err)
		}
		if err := seekAndRead(d, first.EID, second); err != nil {
			return fmt.Errorf("to EID %d: %w", first.EID, err)
		}
		if err := wantUnknown(d, first, neverEID, second); err != nil {
			return fmt.Errorf("to an EID never posted: %w", err)
		}
		if err := wantEnd(d); err != nil {
			return fmt.Errorf("to the end: %w", err)
		}
		if _, err := d.Clear(); err != nil {
			return fmt.Errorf("CLEAR: %w", err)
		}
		if err := d.Seek(first.EID); !errors.Is(err, zevent.ErrUnknownEID) {
			return fmt.Errorf("to EID %d, which was cleared: got error %v, want ENOENT", first.EID, err)
		}
		return nil
	},
}

func seekAndRead(d zevent.Device, eid uint64, want zevent.Event) error {
	if err := d.Seek(eid); err != nil {
		return err
	}
	return wantNext(d, want)
}

// wantUnknown stands on an event, fails to seek away, and reads on behind it.
func wantUnknown(d zevent.Device, on zevent.Event, eid uint64, behind zevent.Event) error {
	if err := d.Seek(on.EID); err != nil {
		return err
	}
	if err := d.Seek(eid); !errors.Is(err, zevent.ErrUnknownEID) {
		return fmt.Errorf("got error %v, want ENOENT", err)
	}
	return wantNext(d, behind)
}

func wantEnd(d zevent.Device) error {
	empty, err := eventually(func() (bool, error) {
		// From the start, so that a SEEK that does nothing is seen.
		if err := errors.Join(d.Seek(zevent.SeekStart), d.Seek(zevent.SeekEnd)); err != nil {
			return false, err
		}
		return isEmpty(d)
	})
	if err == nil && !empty {
		err = fmt.Errorf("NEXT delivered an event at each of %d attempts, want ENOENT", attempts)
	}
	return err
}

var independentCursorsCheck = Check{
	Name:    "independent-cursors",
	Asserts: "What one descriptor reads or seeks does not move the cursor of another.",
	Source:  "module/zfs/zfs_ioctl.c (zfsdev_getminor finds the state of the open file), every release",
	run: func(p *probe) error {
		if _, err := p.fill(2); err != nil {
			return err
		}
		one, err := p.open()
		if err != nil {
			return err
		}
		other, err := p.open()
		if err != nil {
			return err
		}
		first, err := next(one)
		if err != nil {
			return err
		}
		second, err := next(one)
		if err != nil {
			return fmt.Errorf("second event: %w", err)
		}
		if string(first.Raw) == string(second.Raw) {
			return fmt.Errorf("NEXT delivered EID %d twice to one descriptor", first.EID)
		}
		if err := wantNext(other, first); err != nil {
			return fmt.Errorf("the other descriptor, after two reads on the first: %w", err)
		}
		if err := one.Seek(zevent.SeekStart); err != nil {
			return fmt.Errorf("SEEK: %w", err)
		}
		if err := wantNext(other, second); err != nil {
			return fmt.Errorf("the other descriptor, after a SEEK on the first: %w", err)
		}
		return nil
	},
}

var sharedCursorCheck = Check{
	Name:    "shared-cursor",
	Asserts: "A descriptor and its duplicate (dup, fork) share one cursor, which lasts until both are closed.",
	Source:  "module/os/linux/zfs/zfs_ioctl_os.c (the state is kept in the open file), every release",
	run: func(p *probe) error {
		if _, err := p.fill(2); err != nil {
			return err
		}
		events, err := p.deliver()
		if err != nil {
			return err
		}
		if len(events) < 2 {
			return fmt.Errorf("two events were raised, %d delivered", len(events))
		}
		one, other, err := p.openTwice()
		if err != nil {
			return err
		}
		if err := wantNext(one, events[0]); err != nil {
			return err
		}
		if err := wantNext(other, events[1]); err != nil {
			return fmt.Errorf("the duplicate, after a read on the first descriptor: %w", err)
		}
		if err := other.Seek(zevent.SeekStart); err != nil {
			return fmt.Errorf("SEEK: %w", err)
		}
		if err := other.Close(); err != nil {
			return fmt.Errorf("closing the duplicate: %w", err)
		}
		if err := wantNext(one, events[0]); err != nil {
			return fmt.Errorf("the first descriptor, after SEEK on the duplicate and its close: %w", err)
		}
		return nil
	},
}

// openTwice returns a descriptor, closed when the check is over, and a duplicate, which
// the caller closes.
func (p *probe) openTwice() (one, other zevent.Device, err error) {
	if one, err = p.open(); err != nil {
		return nil, nil, err
	}
	duplicator, ok := one.(zevent.Duplicator)
	if !ok {
		return nil, nil, &skipError{"this target's descriptors cannot be duplicated"}
	}
	if other, err = duplicator.Dup(); err != nil {
		return nil, nil, fmt.Errorf("duplicating: %w", err)
	}
	return one, other, nil
}
