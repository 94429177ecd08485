package suite

import "fmt"

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
