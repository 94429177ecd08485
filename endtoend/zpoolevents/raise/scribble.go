//go:build linux

package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	scribbleBytes = 1 << 20
	scribbleTime  = 3 * time.Second // for each of writing and reading
)

// scribble changes a buffer while Direct I/O uses it, so that a checksum made of it is wrong when the module verifies
// it. The writes and reads may fail.
func scribble(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|unix.O_DIRECT, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	buf, err := unix.Mmap(-1, 0, scribbleBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("getting a buffer of whole pages: %w", err)
	}
	// A file to read from, whatever becomes of the writes.
	if _, err := f.WriteAt(buf, 0); err != nil {
		return err
	}
	var ended atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; !ended.Load(); n++ {
			for at := n % 512; at < len(buf); at += 4096 {
				buf[at]++
			}
		}
	}()
	failed := map[string]int{}
	for what, do := range map[string]func([]byte, int64) (int, error){"writes": f.WriteAt, "reads": f.ReadAt} {
		for end := time.Now().Add(scribbleTime); time.Now().Before(end); {
			if _, err := do(buf, 0); err != nil {
				failed[what]++
			}
		}
	}
	ended.Store(true)
	<-done
	fmt.Printf("failed: %v\n", failed)
	return nil
}
