package suite

import (
	"errors"
	"fmt"
	"syscall"
)

// CleanupFDProber is a Target whose queue is named by a descriptor of the
// operating system.
type CleanupFDProber interface {
	// ProbeCleanupFD returns the answer to NEXT when cleanup_fd is an open
	// descriptor that is not the queue's.
	ProbeCleanupFD() error
}

var badCleanupFDCheck = Check{
	Name:    "bad-cleanup-fd",
	Asserts: "NEXT answers EBADF when cleanup_fd is an open file that is not /dev/zfs.",
	Source:  "module/zfs/zfs_ioctl.c (zfsdev_getminor), fm.c (zfs_zevent_fd_hold), every release",
	run: func(p *probe) error {
		prober, ok := p.target.(CleanupFDProber)
		if !ok {
			return &skipError{"this target has no descriptors of the operating system"}
		}
		if err := prober.ProbeCleanupFD(); !errors.Is(err, syscall.EBADF) {
			return fmt.Errorf("got error %v, want EBADF", err)
		}
		return nil
	},
}
