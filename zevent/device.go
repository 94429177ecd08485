package zevent

import (
	"context"
	"math"
)

// NextFlags are the flags of a read: zc_guid of ZFS_IOC_EVENTS_NEXT.
type NextFlags uint64

// Nonblock makes Next return [ErrEmpty] where it would wait for an event:
// ZEVENT_NONBLOCK of include/sys/fm/util.h.
const Nonblock NextFlags = 1

// Positions that Seek takes in place of an EID.
const (
	SeekStart uint64 = 0              // ZEVENT_SEEK_START: before the oldest event
	SeekEnd   uint64 = math.MaxUint64 // ZEVENT_SEEK_END: on the newest event
)

// MaxEventBytes is the longest event that the module queues: ERPT_DATA_SZ of
// include/sys/fm/util.h.
const MaxEventBytes = 6144

// Device is one open descriptor of an event queue, with a cursor of its own.
// Its semantics are those of module/zfs/fm.c.
type Device interface {
	// Next copies the event behind the cursor into buf, as a packed nvlist
	// of n bytes, and moves the cursor onto it. dropped is zc_cookie.
	// Errors: ErrEmpty, *BufferTooSmallError, or one of the device; EINTR
	// (ErrInterrupted, syscall.EINTR) asks for another call.
	Next(buf []byte, flags NextFlags) (n int, dropped uint64, err error)
	// Clear empties the queue for every reader on the machine and returns
	// how many events it held.
	Clear() (events uint64, err error)
	// Seek puts the cursor on the event of that EID, so that Next gives the
	// one behind it. SeekStart and SeekEnd always succeed; for an EID that
	// is not queued the error is ErrUnknownEID and the cursor stays.
	Seek(eid uint64) error
	// Close ends the cursor. Do not close during a call of another method:
	// releases 2.0.5, 2.1.0 and older do not bear it.
	Close() error
}

// Waiter is a Device whose wait for an event can be ended.
type Waiter interface {
	Device
	// NextWait is Next without Nonblock that ends soon after ctx does. It
	// returns the event or error that came first, ErrInterrupted for the end
	// of ctx. As in Next, an event that is posted between the look at the
	// queue and the sleep may not end the sleep; [Client.Wait] cures that.
	NextWait(ctx context.Context, buf []byte) (n int, dropped uint64, err error)
}

// Duplicator is a Device that can be had twice.
type Duplicator interface {
	Device
	// Dup returns a second descriptor of the same open file, which shares
	// the cursor, as dup(2) and fork(2) do. Each has to be closed.
	Dup() (Device, error)
}
