package zfscmd

import (
	"errors"
	"strings"
	"syscall"
	"testing"
)

func TestErrorSaysWhatToDo(t *testing.T) {
	tests := []struct {
		err  Error
		want string // part of the text
	}{
		{Error{Command: EventsNext, Errno: syscall.EPERM}, "ZFS_IOC_EVENTS_NEXT: operation not permitted; run as root in the initial user namespace"},
		{Error{Command: EventsSeek, Errno: syscall.EBADF}, "cleanup_fd is not an open /dev/zfs"},
		{Error{Command: EventsNext, Errno: syscall.ENOENT}, "no event yet"},
		{Error{Command: EventsNext, Errno: syscall.ENOMEM, NeedBytes: 336}, "give a dst of 336 bytes"},
		{Error{Command: EventsNext, Errno: syscall.EFAULT}, "is lost"},
		{Error{Command: EventsNext, Errno: syscall.EINTR}, "call again"},
		{Error{Command: EventsNext, Errno: syscall.EINVAL}, "0.6.3"},
		{Error{Command: EventsNext, Errno: 1029}, "ZFS_ERR_IOC_CMD_UNAVAIL"},
		{Error{Command: PoolCreate, Errno: syscall.EEXIST}, "choose another"},
		{Error{Command: PoolCreate, Errno: syscall.EOVERFLOW}, "64 MiB"},
		{Error{Command: PoolCreate, Errno: syscall.EINVAL}, "absolute"},
		{Error{Command: PoolDestroy, Errno: syscall.EBUSY}, "ZFS_IOC_POOL_DESTROY: device or resource busy; the pool"},
		{Error{Command: PoolDestroy, Errno: syscall.ENOENT}, "no such pool"},
		{Error{Command: PoolStats, Errno: syscall.ENOMEM, NeedBytes: 70000}, "ZFS_IOC_POOL_STATS: cannot allocate memory; give a dst of 70000 bytes"},
		{Error{Command: VdevSetState, Errno: syscall.ENODEV}, "the pool has no such vdev"},
		{Error{Command: EventsClear, Errno: syscall.EIO}, "ZFS_IOC_EVENTS_CLEAR: input/output error"},
		{Error{Command: 0x5aff, Errno: syscall.ENOTTY}, "ioctl 0x5aff: "},
	}
	for _, test := range tests {
		if got := test.err.Error(); !strings.Contains(got, test.want) {
			t.Errorf("got %q, want ...%s...", got, test.want)
		}
		if !errors.Is(&test.err, test.err.Errno) {
			t.Errorf("%v does not unwrap to its errno", &test.err)
		}
	}
}
