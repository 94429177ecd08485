//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Both ends of a vdev, with its labels and the space before the first of its blocks (vdev_impl.h of the module).
const (
	frontBytes = 4 << 20
	backBytes  = 512 << 10
)

// poison has the kernel take the memory of what was written between the labels of a vdev for broken, so that reading it fails with EIO.
// The vdev is a file on tmpfs, which keeps such pages since Linux 5.16, and there is no other copy (madvise(2), MADV_HWPOISON).
func poison(name string) (err error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	last := info.Size() - backBytes
	var poisoned int64
	for at := int64(frontBytes); ; {
		from, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if from >= last || errors.Is(err, unix.ENXIO) {
			break
		}
		if err != nil {
			return fmt.Errorf("finding what was written to %s: %w", name, err)
		}
		if at, err = unix.Seek(int(f.Fd()), from, unix.SEEK_HOLE); err != nil {
			return fmt.Errorf("finding what was written to %s: %w", name, err)
		}
		at = min(at, last)
		if err := poisonRange(f, from, at-from); err != nil {
			return fmt.Errorf("poisoning %d bytes at %d of %s: %w", at-from, from, name, err)
		}
		poisoned += at - from
	}
	if poisoned == 0 {
		return fmt.Errorf("poisoning %s: nothing was written between its labels", name)
	}
	fmt.Printf("poisoned %d bytes of %s\n", poisoned, name)
	return nil
}

func poisonRange(f *os.File, from, size int64) error {
	memory, err := unix.Mmap(int(f.Fd()), from, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	return errors.Join(unix.Madvise(memory, unix.MADV_HWPOISON), unix.Munmap(memory))
}
