package zevent

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// Answers that are part of reading events, of every Device.
var (
	// ErrEmpty: Next found no event behind the cursor (ENOENT).
	ErrEmpty = errors.New("no event is queued behind the cursor")
	// ErrUnknownEID: Seek found no such event queued (ENOENT).
	ErrUnknownEID = errors.New("no queued event has this EID; it was evicted or cleared, or not posted yet")
)

// BufferTooSmallError is Next's answer to a buffer that the event does not
// fit (ENOMEM). The event stays the next one.
type BufferTooSmallError struct {
	NeedBytes uint64
}

func (e *BufferTooSmallError) Error() string {
	return fmt.Sprintf("the next event needs a buffer of %d bytes", e.NeedBytes)
}

// Kinds of a [*DeviceError], to be asked for by errors.Is.
var (
	// ErrNoModule: there is no such device, or nothing behind it (ENOENT and ENODEV of open).
	ErrNoModule = errors.New("the zfs module is not there")
	// ErrNotPermitted: the module serves events to CAP_SYS_ADMIN of the initial user namespace (EPERM, EACCES).
	ErrNotPermitted = errors.New("events are not permitted")
	// ErrNotZFS: the file is another one than /dev/zfs (ENOTTY).
	ErrNotZFS = errors.New("not a ZFS device")
	// ErrBadDescriptor: the module found no cursor at zc_cleanup_fd (EBADF).
	ErrBadDescriptor = errors.New("no cursor at this descriptor")
	// ErrInterrupted: a signal ended the wait (EINTR). No event was passed.
	ErrInterrupted = errors.New("interrupted")
	// ErrEventLost: the event could not be copied out, and the cursor has passed it (EFAULT).
	ErrEventLost = errors.New("an event was lost")
	// ErrShutdown: the module is being unloaded (ESHUTDOWN).
	ErrShutdown = errors.New("the zfs module is going away")
	// ErrUnsupported: the module does not know the ioctl (1029, and EINVAL before 0.8), or what stands before it (ENOSYS).
	ErrUnsupported = errors.New("the ioctl is not known")
	// ErrTooManyOpen: no descriptor is left, of the process (EMFILE), the machine (ENFILE) or the module (ENXIO, also of a node without a driver).
	ErrTooManyOpen = errors.New("no descriptor is left")
)

// DeviceError is a refusal by the system or the module. It unwraps to its kind
// and to the errno, so that errors.Is holds for both.
type DeviceError struct {
	Op    string // what was being done, such as "reading the next event"
	Path  string // of the device
	Kind  error  // one of the kinds, nil for an errno that is none of them
	Errno syscall.Errno
	Hint  string // what to do next, empty if that is not known
}

func (e *DeviceError) Error() string {
	what := e.Errno.Error()
	if e.Errno == zfscmd.ErrnoUnavailable {
		what = "ZFS_ERR_IOC_CMD_UNAVAIL"
	}
	if e.Kind != nil {
		what = fmt.Sprintf("%v (%s)", e.Kind, what)
	}
	if e.Hint != "" {
		what += "; " + e.Hint
	}
	return fmt.Sprintf("%s: %s: %s", e.Op, e.Path, what)
}

// Unwrap gives the kind and the errno.
func (e *DeviceError) Unwrap() []error {
	if e.Kind == nil {
		return []error{e.Errno}
	}
	return []error{e.Kind, e.Errno}
}

type meaning struct {
	kind error
	hint string
}

const knownReleases = "compare /sys/module/zfs/version with the releases known here, 0.6.3 to 2.4"

// openMeanings are of open(2) of the device.
var openMeanings = map[syscall.Errno]meaning{
	syscall.ENOENT: {ErrNoModule, "load the zfs module, or name its device"},
	syscall.ENODEV: {ErrNoModule, "load the zfs module"},
	syscall.ENXIO:  {ErrTooManyOpen, "load the zfs module if it is not; else close some of the descriptors of this device, of which it has 65536"},
	syscall.EPERM:  {ErrNotPermitted, "run as root"},
	syscall.EACCES: {ErrNotPermitted, "run as root"},
	syscall.EMFILE: {ErrTooManyOpen, "close some, or raise RLIMIT_NOFILE"},
	syscall.ENFILE: {ErrTooManyOpen, "raise fs.file-max"},
	syscall.EISDIR: {ErrNotZFS, "open /dev/zfs"},
}

// ioctlMeanings are of the event ioctls: module/zfs/zfs_ioctl.c and fm.c. What
// belongs to reading, such as ENOENT, is not among them.
var ioctlMeanings = map[syscall.Errno]meaning{
	syscall.EPERM:           {ErrNotPermitted, "run as root in the initial user namespace: the module wants CAP_SYS_ADMIN there"},
	syscall.EACCES:          {ErrNotPermitted, "run as root in the initial user namespace: the module wants CAP_SYS_ADMIN there"},
	syscall.ENOTTY:          {ErrNotZFS, "open /dev/zfs"},
	syscall.EBADF:           {ErrBadDescriptor, "open the device anew; if it is open, this release keeps zc_cleanup_fd where it is not known to be: " + knownReleases},
	syscall.EINTR:           {ErrInterrupted, "call again"},
	syscall.EFAULT:          {ErrEventLost, "go on reading, and take the gap in the EIDs for what was lost"},
	syscall.ESHUTDOWN:       {ErrShutdown, "close the device, and open it when the module is loaded again"},
	syscall.ENODEV:          {ErrShutdown, "close the device, and open it when the module is loaded again"},
	syscall.EINVAL:          {ErrUnsupported, "before 0.6.3 the event ioctls had other numbers; " + knownReleases},
	syscall.ENOSYS:          {ErrUnsupported, "run it on the machine itself: user-mode emulation, such as qemu-user, passes on no ioctl that it does not know"},
	zfscmd.ErrnoUnavailable: {ErrUnsupported, knownReleases},
}

// deviceError makes a DeviceError of what has an errno, and leaves other
// errors as they are but for op and path.
func deviceError(op, path string, err error, meanings map[syscall.Errno]meaning) error {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return fmt.Errorf("%s: %s: %w", op, path, err)
	}
	m := meanings[errno]
	return &DeviceError{Op: op, Path: path, Kind: m.kind, Errno: errno, Hint: m.hint}
}
