package headerinstall

import (
	"io/fs"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls that are made for each header put its name on the stack: a copy on the heap for each would be most of what an installation
// allocates.

// cName is the name of a directory's entry as the kernel wants it.
type cName [maxNameBytes + 1]byte

// set returns false for a name that has no room, or holds a zero byte.
func (c *cName) set(name string) bool {
	n := copy(c[:maxNameBytes], name)
	c[n] = 0
	return n == len(name) && !hasZero(name)
}

func hasZero(name string) bool {
	for i := range len(name) {
		if name[i] == 0 {
			return true
		}
	}
	return false
}

// openEntry is openat(2).
func openEntry(at int, name string, flags int, mode fs.FileMode) (fd int, err error) {
	var c cName
	if !c.set(name) {
		return unix.Openat(at, name, flags, uint32(mode.Perm()))
	}
	opened, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(at), uintptr(unsafe.Pointer(&c)), uintptr(flags|unix.O_LARGEFILE), uintptr(mode.Perm()), 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(opened), nil
}

// statEntry is fstatat(2), and follows no symbolic link.
func statEntry(at int, name string, stat *unix.Stat_t) error {
	var c cName
	number := fstatatNumber()
	if number == 0 || !c.set(name) {
		return unix.Fstatat(at, name, stat, unix.AT_SYMLINK_NOFOLLOW)
	}
	_, _, errno := unix.Syscall6(number, uintptr(at), uintptr(unsafe.Pointer(&c)), uintptr(unsafe.Pointer(stat)), unix.AT_SYMLINK_NOFOLLOW, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// fstatatNumber is the number of the call that fills in a Stat_t, which has another name on each architecture; 0 where it is not known
// here.
func fstatatNumber() uintptr {
	switch runtime.GOARCH {
	case "amd64":
		return 262
	case "arm64":
		return 79
	}
	return 0
}
