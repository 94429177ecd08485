package zevent

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// KernelDevice is an open /dev/zfs.
type KernelDevice struct {
	file *os.File
	fd   int
}

var _ Device = (*KernelDevice)(nil)

// Open opens the event queue of the loaded module; path is normally /dev/zfs.
// Opening needs no privilege where udev made the node world-writable; the
// methods need root in the initial user namespace and fail with EPERM
// otherwise.
func Open(path string) (*KernelDevice, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) // os adds O_CLOEXEC
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("opening event queue: %w; load the zfs module", err)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("opening event queue: %w; run as root", err)
	case err != nil:
		return nil, fmt.Errorf("opening event queue: %w", err)
	}
	// The driver has no poll: Fd, which also takes the file out of the
	// runtime's poller, is right here.
	return &KernelDevice{file: f, fd: int(f.Fd())}, nil
}

// Next issues ZFS_IOC_EVENTS_NEXT. Without Nonblock it waits in the kernel
// until an event or a signal comes.
func (d *KernelDevice) Next(buf []byte, flags NextFlags) (int, uint64, error) {
	reply, err := zfscmd.Do(d.fd, zfscmd.EventsNext, zfscmd.Args{
		GUID: uint64(flags), CleanupFD: d.fd, Dst: buf,
	})
	var refusal *zfscmd.Error
	switch {
	case errors.Is(err, syscall.ENOENT):
		return 0, 0, ErrEmpty
	case errors.Is(err, syscall.ENOMEM) && errors.As(err, &refusal):
		return 0, 0, &BufferTooSmallError{NeedBytes: refusal.NeedBytes}
	case err != nil:
		return 0, 0, err
	case reply.DstBytes > uint64(len(buf)) || !reply.DstFilled:
		return 0, 0, fmt.Errorf("%v: the module reports %d bytes in a buffer of %d, filled %t; compare /sys/module/zfs/version",
			zfscmd.EventsNext, reply.DstBytes, len(buf), reply.DstFilled)
	}
	return int(reply.DstBytes), reply.Cookie, nil
}

// Clear issues ZFS_IOC_EVENTS_CLEAR.
func (d *KernelDevice) Clear() (uint64, error) {
	reply, err := zfscmd.Do(d.fd, zfscmd.EventsClear, zfscmd.Args{CleanupFD: d.fd})
	if err != nil {
		return 0, err
	}
	return reply.Cookie, nil
}

// Seek issues ZFS_IOC_EVENTS_SEEK.
func (d *KernelDevice) Seek(eid uint64) error {
	_, err := zfscmd.Do(d.fd, zfscmd.EventsSeek, zfscmd.Args{GUID: eid, CleanupFD: d.fd})
	if errors.Is(err, syscall.ENOENT) {
		return fmt.Errorf("seeking to EID %d: %w", eid, ErrUnknownEID)
	}
	return err
}

// Close closes the descriptor.
func (d *KernelDevice) Close() error { return d.file.Close() }
