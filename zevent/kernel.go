package zevent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// KernelDevice is an open /dev/zfs. Its methods may be called at the same
// time; all share the one cursor.
type KernelDevice struct {
	path  string
	file  *os.File
	fd    int
	ioctl func(fd int, c zfscmd.Command, args zfscmd.Args) (zfscmd.Reply, error)

	calls    sync.RWMutex // read-held by calls under way: releases before 2.0.6 and 2.1.1 do not bear a close during one
	closing  context.Context
	endWaits context.CancelFunc // ends closing
	closed   bool
}

var (
	_ Waiter     = (*KernelDevice)(nil)
	_ Duplicator = (*KernelDevice)(nil)
)

// Open opens the event queue of the loaded module; path is normally /dev/zfs.
// Opening needs no privilege where udev made the node world-writable; the
// methods need root in the initial user namespace and fail with
// [ErrNotPermitted] otherwise. Their errors, and those of Open, are
// [*DeviceError].
func Open(path string) (*KernelDevice, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) // os adds O_CLOEXEC
	if err != nil {
		return nil, deviceError("opening the event queue", path, err, openMeanings)
	}
	return newKernelDevice(f, path), nil
}

func newKernelDevice(f *os.File, path string) *KernelDevice {
	// The driver has no poll: Fd, which also takes the file out of the
	// runtime's poller, is right here.
	d := &KernelDevice{path: path, file: f, fd: int(f.Fd()), ioctl: zfscmd.Do}
	d.closing, d.endWaits = context.WithCancel(context.Background())
	return d
}

// do issues an ioctl, unless the device is closed.
func (d *KernelDevice) do(op string, c zfscmd.Command, args zfscmd.Args) (zfscmd.Reply, error) {
	d.calls.RLock()
	defer d.calls.RUnlock()
	if d.closed {
		return zfscmd.Reply{}, fmt.Errorf("%s: %s: %w", op, d.path, os.ErrClosed)
	}
	args.CleanupFD = d.fd
	return d.ioctl(d.fd, c, args)
}

const opNext = "reading the next event"

// Next issues ZFS_IOC_EVENTS_NEXT. Without Nonblock it waits in the kernel
// until an event or a signal comes, or Close is called.
func (d *KernelDevice) Next(buf []byte, flags NextFlags) (n int, dropped uint64, err error) {
	if flags&Nonblock == 0 {
		return d.NextWait(context.Background(), buf)
	}
	return d.next(buf, flags)
}

// NextWait implements [Waiter]. It waits in a blocked ioctl, which takes one
// thread of the system, and ends the wait by SIGURG to that thread: the Go
// runtime uses that signal itself and promises that another one does no harm.
func (d *KernelDevice) NextWait(ctx context.Context, buf []byte) (n int, dropped uint64, err error) {
	callInterruptibly(func() { n, dropped, err = d.next(buf, 0) }, ctx, d.closing)
	return n, dropped, err
}

func (d *KernelDevice) next(buf []byte, flags NextFlags) (int, uint64, error) {
	reply, err := d.do(opNext, zfscmd.EventsNext, zfscmd.Args{GUID: uint64(flags), Dst: buf})
	var refusal *zfscmd.Error
	switch {
	case errors.Is(err, os.ErrClosed):
		return 0, 0, err
	case errors.Is(err, syscall.ENOENT):
		return 0, 0, ErrEmpty
	case errors.Is(err, syscall.ENOMEM) && errors.As(err, &refusal):
		return 0, 0, &BufferTooSmallError{NeedBytes: refusal.NeedBytes}
	case err != nil:
		return 0, 0, deviceError(opNext, d.path, err, ioctlMeanings)
	case reply.DstBytes > uint64(len(buf)) || !reply.DstFilled:
		return 0, 0, fmt.Errorf("%s: %s: the module reports %d bytes in a buffer of %d, filled %t; %s",
			opNext, d.path, reply.DstBytes, len(buf), reply.DstFilled, knownReleases)
	}
	return int(reply.DstBytes), reply.Cookie, nil
}

// Clear issues ZFS_IOC_EVENTS_CLEAR.
func (d *KernelDevice) Clear() (uint64, error) {
	const op = "clearing the event queue"
	reply, err := d.do(op, zfscmd.EventsClear, zfscmd.Args{})
	if err != nil && !errors.Is(err, os.ErrClosed) {
		err = deviceError(op, d.path, err, ioctlMeanings)
	}
	return reply.Cookie, err
}

// Seek issues ZFS_IOC_EVENTS_SEEK.
func (d *KernelDevice) Seek(eid uint64) error {
	op := fmt.Sprintf("seeking to EID %d", eid)
	_, err := d.do(op, zfscmd.EventsSeek, zfscmd.Args{GUID: eid})
	switch {
	case err == nil, errors.Is(err, os.ErrClosed):
		return err
	case errors.Is(err, syscall.ENOENT):
		return fmt.Errorf("%s: %w", op, ErrUnknownEID)
	}
	return deviceError(op, d.path, err, ioctlMeanings)
}

// Dup implements [Duplicator].
func (d *KernelDevice) Dup() (Device, error) {
	const op = "duplicating the descriptor"
	d.calls.RLock()
	defer d.calls.RUnlock()
	if d.closed {
		return nil, fmt.Errorf("%s: %s: %w", op, d.path, os.ErrClosed)
	}
	fd, err := dupFD(d.fd)
	if err != nil {
		return nil, deviceError(op, d.path, err, openMeanings)
	}
	return newKernelDevice(os.NewFile(uintptr(fd), d.path), d.path), nil
}

// Close ends the waits under way, with [ErrInterrupted], and closes the
// descriptor.
func (d *KernelDevice) Close() error {
	d.endWaits()
	d.calls.Lock()
	defer d.calls.Unlock()
	d.closed = true
	return d.file.Close()
}
