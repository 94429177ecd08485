//go:build !linux

package zfscmd

import (
	"errors"
	"fmt"
)

// Do fails: only the request encoding of Linux is known here.
func Do(fd int, c Command, args Args) (Reply, error) {
	return Reply{}, fmt.Errorf("%v: %w on this system; run on Linux", c, errors.ErrUnsupported)
}
