//go:build !linux

package zevent

import (
	"context"
	"errors"
)

// callInterruptibly calls f, which does not sleep here: only the request
// encoding of Linux is known.
func callInterruptibly(f func(), _ ...context.Context) { f() }

func dupFD(int) (int, error) { return -1, errors.ErrUnsupported }
