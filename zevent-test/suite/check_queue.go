package suite

import (
	"fmt"

	"github.com/kmodaudit/kmodaudit/zevent"
)

var openCheck = Check{
	Name:    "open",
	Asserts: "Two opens give two descriptors, and both close without an error.",
	Source:  "module/os/linux/zfs/zfs_ioctl_os.c (zfsdev_open, zfsdev_release), every release",
	run: func(p *probe) error {
		for i := range 2 {
			if _, err := p.open(); err != nil {
				return fmt.Errorf("open %d of 2: %w", i+1, err)
			}
		}
		return nil
	},
}

var clearCheck = Check{
	Name:    "clear",
	Asserts: "CLEAR counts at least 1 when an event was raised, and 0 when the queue was cleared just before.",
	Source:  "module/zfs/fm.c (zfs_zevent_drain_all), every release",
	run: func(p *probe) error {
		if _, err := p.fill(1); err != nil {
			return err
		}
		d, err := p.open()
		if err != nil {
			return err
		}
		cleared, err := d.Clear()
		if err != nil {
			return fmt.Errorf("CLEAR: %w", err)
		}
		if cleared == 0 {
			return fmt.Errorf("CLEAR after an event was raised: got 0 events, want at least 1")
		}
		zero, err := eventually(func() (bool, error) {
			cleared, err = d.Clear()
			return cleared == 0, err
		})
		if err != nil {
			return fmt.Errorf("second CLEAR: %w", err)
		}
		if !zero {
			return fmt.Errorf("CLEAR of a cleared queue: got %d events at the last of %d attempts, want 0", cleared, attempts)
		}
		return nil
	},
}

var emptyCheck = Check{
	Name:    "empty-enoent",
	Asserts: "NEXT with ZEVENT_NONBLOCK answers ENOENT on a queue that held an event and was cleared.",
	Source:  "module/zfs/fm.c (zfs_zevent_next), zfs_ioctl.c (zfs_ioc_events_next), every release",
	run: func(p *probe) error {
		if _, err := p.fill(1); err != nil {
			return err
		}
		empty, err := eventually(func() (bool, error) {
			// A fresh descriptor, which has not read what CLEAR left.
			d, err := p.open()
			if err != nil {
				return false, err
			}
			if _, err := d.Clear(); err != nil {
				return false, fmt.Errorf("CLEAR: %w", err)
			}
			return isEmpty(d)
		})
		if err != nil {
			return err
		}
		if !empty {
			return fmt.Errorf("NEXT delivered an event after each of %d CLEARs, want ENOENT", attempts)
		}
		return nil
	},
}

var clearSeenCheck = Check{
	Name: "clear-seen-by-all",
	Asserts: "CLEAR counts every queued event and empties the queue for other descriptors as well; " +
		"one that had read an event is told of a drop with the next.",
	Source: "module/zfs/fm.c (zfs_zevent_drain_all, zfs_zevent_drain), every release",
	run: func(p *probe) error {
		reader, err := p.open()
		if err != nil {
			return err
		}
		counted, err := eventually(func() (bool, error) { return p.clearCounts(reader) })
		if err != nil {
			return err
		}
		if !counted {
			return fmt.Errorf("CLEAR counted other than the queued events at each of %d attempts", attempts)
		}
		if _, err := p.target.Raise(p.ctx); err != nil {
			return err
		}
		e, err := next(reader)
		if err != nil {
			return fmt.Errorf("the reader, after CLEAR and a post: %w", err)
		}
		if e.Dropped == 0 {
			return fmt.Errorf("the reader, after CLEAR of the event under its cursor and a post: got EID %d with 0 drops, want 1 at least", e.EID)
		}
		return nil
	},
}

// clearCounts puts the reader on an event, clears by another descriptor, and tells whether the count
// was that of the queued events and the queue is empty for the reader. Posts of
// others may spoil one attempt.
func (p *probe) clearCounts(reader zevent.Device) (bool, error) {
	if _, err := p.fill(1); err != nil {
		return false, err
	}
	queued, err := p.deliver()
	if err != nil {
		return false, err
	}
	if _, err := next(reader); err != nil {
		return false, err
	}
	clearer, err := p.open()
	if err != nil {
		return false, err
	}
	cleared, err := clearer.Clear()
	if err != nil {
		return false, fmt.Errorf("CLEAR: %w", err)
	}
	empty, err := isEmpty(reader)
	return cleared == uint64(len(queued)) && empty, err
}
