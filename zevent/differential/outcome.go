package differential

import (
	"bytes"
	"errors"
	"fmt"
	"syscall"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// Outcome is what an operation answered.
type Outcome struct {
	Errno     syscall.Errno // 0 if it succeeded
	Err       error         // beside Errno, or without one
	NeedBytes uint64        // with ENOMEM
	Dropped   uint64        // of NEXT
	Cleared   uint64        // of CLEAR
	Bytes     []byte        // of NEXT
}

// equal compares all but Err where there is an errno.
func (o Outcome) equal(p Outcome) bool {
	sameErr := o.Errno == p.Errno && (o.Errno != 0 || (o.Err == nil) == (p.Err == nil))
	return sameErr && o.NeedBytes == p.NeedBytes && o.Dropped == p.Dropped && o.Cleared == p.Cleared && bytes.Equal(o.Bytes, p.Bytes)
}

func (o Outcome) String() string {
	switch {
	case o.NeedBytes > 0:
		return fmt.Sprintf("%v, needs %d bytes", o.Errno, o.NeedBytes)
	case o.Err != nil:
		return o.Err.Error()
	case o.Bytes != nil:
		e, err := zevent.Decode(o.Bytes, o.Dropped)
		if err != nil {
			return fmt.Sprintf("%d bytes, dropped %d: %v", len(o.Bytes), o.Dropped, err)
		}
		return fmt.Sprintf("EID %d (%s) of %d bytes, dropped %d", e.EID, e.Class, len(o.Bytes), o.Dropped)
	default:
		return fmt.Sprintf("done, cleared %d", o.Cleared)
	}
}

// failed is the outcome of an error, nil among them.
func failed(err error) Outcome {
	o := Outcome{Err: err}
	var small *zevent.BufferTooSmallError
	switch {
	case errors.As(err, &small):
		o.Errno, o.NeedBytes = syscall.ENOMEM, small.NeedBytes
	case errors.Is(err, zevent.ErrEmpty), errors.Is(err, zevent.ErrUnknownEID):
		o.Errno = syscall.ENOENT
	default:
		errors.As(err, &o.Errno)
	}
	return o
}
