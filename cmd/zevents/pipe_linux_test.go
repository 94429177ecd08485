package main

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWiden(t *testing.T) {
	for before, want := range map[int]int{64 << 10: pipeBytes, 2 * pipeBytes: 2 * pipeBytes} {
		t.Run(fmt.Sprint(before), func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			defer w.Close()
			if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, before); err != nil {
				t.Skipf("this process may have no pipe of %d bytes: %v", before, err)
			}
			widen(w)
			if got, err := unix.FcntlInt(w.Fd(), unix.F_GETPIPE_SZ, 0); err != nil || got != want {
				t.Errorf("holds %d bytes, %v; want %d", got, err, want)
			}
		})
	}
}
