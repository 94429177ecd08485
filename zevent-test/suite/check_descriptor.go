package suite

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
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

// UnknownIoctl is a Target that takes ioctls by number.
type UnknownIoctl interface {
	// ProbeUnknownIoctl returns the answer to an ioctl of a number that no release has.
	ProbeUnknownIoctl() error
	// Release is that of the loaded module.
	Release() (zevent.Release, error)
}

var unknownIoctlCheck = Check{
	Name:    "unknown-ioctl",
	Asserts: "An ioctl of an unknown number answers ZFS_ERR_IOC_CMD_UNAVAIL (1029), before 0.8 EINVAL.",
	Source:  "module/zfs/zfs_ioctl.c (zfsdev_ioctl_common), since 0.8; zfsdev_ioctl before",
	run: func(p *probe) error {
		prober, ok := p.target.(UnknownIoctl)
		if !ok {
			return &skipError{"this target takes no ioctls"}
		}
		release, err := prober.Release()
		if err != nil {
			return err
		}
		want := zfscmd.ErrnoUnavailable
		if !release.AtLeast(0, 8, 0) {
			want = syscall.EINVAL
		}
		if err := prober.ProbeUnknownIoctl(); !errors.Is(err, want) {
			return fmt.Errorf("OpenZFS %v: got error %v, want errno %d", release, err, int(want))
		}
		return nil
	},
}
