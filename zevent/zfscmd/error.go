package zfscmd

import (
	"fmt"
	"syscall"
)

// ErrnoUnavailable is ZFS_ERR_IOC_CMD_UNAVAIL: since 0.8 the module answers it
// to a number that it does not know. Earlier releases answer EINVAL.
const ErrnoUnavailable = syscall.Errno(1029)

// Error is the refusal of one ioctl. It unwraps to its errno, so that
// errors.Is(err, syscall.EBADF) holds.
type Error struct {
	Command   Command
	Errno     syscall.Errno
	NeedBytes uint64 // with ENOMEM, the dst that would do
}

func (e *Error) Unwrap() error { return e.Errno }

func (e *Error) Error() string {
	what := e.Errno.Error()
	if e.Errno == ErrnoUnavailable {
		what = "unknown to the loaded module (ZFS_ERR_IOC_CMD_UNAVAIL)"
	}
	if remedy := e.remedy(); remedy != "" {
		what += "; " + remedy
	}
	return fmt.Sprintf("%v: %s", e.Command, what)
}

// remedy is what the caller can do. The meanings are those of
// module/zfs/zfs_ioctl.c, fm.c and spa.c.
func (e *Error) remedy() string {
	switch e.Errno {
	case syscall.EPERM, syscall.EACCES:
		return "run as root in the initial user namespace (the module wants CAP_SYS_ADMIN there)"
	case syscall.EINTR:
		return "a signal came; call again"
	case syscall.ENOTTY:
		return "the file is not a ZFS device; open /dev/zfs"
	case ErrnoUnavailable:
		return "compare /sys/module/zfs/version with 0.6.3 to 2.4"
	}
	if e.Command.ofEvents() {
		return e.eventsRemedy()
	}
	return e.poolRemedy()
}

func (e *Error) eventsRemedy() string {
	switch e.Errno {
	case syscall.EBADF:
		return "cleanup_fd is not an open /dev/zfs, or this release keeps it at an offset that is not known here; compare /sys/module/zfs/version"
	case syscall.ENOENT:
		return "no such event, or no event yet"
	case syscall.ENOMEM:
		return fmt.Sprintf("give a dst of %d bytes", e.NeedBytes)
	case syscall.EFAULT:
		return "dst cannot be written; the event in it is lost"
	case syscall.EINVAL:
		return "compare /sys/module/zfs/version: before 0.6.3 the event ioctls had other numbers"
	}
	return ""
}

func (e *Error) poolRemedy() string {
	switch e.Errno {
	case syscall.EEXIST:
		return "a pool of that name exists; choose another"
	case syscall.ENOENT:
		return "no such pool, or no such vdev"
	case syscall.ENODEV:
		return "the pool has no such vdev"
	case syscall.EBUSY:
		return "the pool or its vdev is in use"
	case syscall.ENOMEM:
		return fmt.Sprintf("give a dst of %d bytes", e.NeedBytes)
	case syscall.EOVERFLOW:
		return "the vdev is smaller than 64 MiB"
	case syscall.EINVAL:
		return "the name or the vdev tree is refused; the path of a vdev must be absolute"
	}
	return ""
}

func needBytes(errno syscall.Errno, r Reply) uint64 {
	if errno == syscall.ENOMEM {
		return r.DstBytes
	}
	return 0
}
