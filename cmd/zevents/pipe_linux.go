package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// pipeBytes is the most that Linux lets everybody's pipe hold (fs.pipe-max-size).
const pipeBytes = 1 << 20

// widen makes a pipe hold more than its 64 KiB, so that writer and reader take turns less often. What is no pipe, holds as
// much already, or may not be widened, stays as it is.
func widen(f *os.File) {
	if n, err := unix.FcntlInt(f.Fd(), unix.F_GETPIPE_SZ, 0); err == nil && n < pipeBytes {
		_, _ = unix.FcntlInt(f.Fd(), unix.F_SETPIPE_SZ, pipeBytes)
	}
}
