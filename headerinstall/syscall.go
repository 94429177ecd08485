package headerinstall

import (
	"io/fs"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls that are made for each header and directory put its name on the stack: a copy on the heap for each would be most of what an
// installation allocates.
//
// Those here are not told to the scheduler, which saves a tenth of the time: of a call that takes longer than some
// microseconds, it takes the processor away and looks for another to have it, and there is none: each processor has a worker.

// cName is the name of a directory's entry as the kernel wants it.
type cName [maxNameBytes + 1]byte

func (c *cName) set(name string) bool { return setCString(c[:], name, "") }

// cPath is a path as the kernel wants it.
type cPath [maxPathBytes + 1]byte

// setCString puts a name of two parts into c. It returns false if the name has no room there, or holds a zero byte.
func setCString(c []byte, a, b string) bool {
	if len(a)+len(b) >= len(c) || strings.IndexByte(a, 0) >= 0 || strings.IndexByte(b, 0) >= 0 {
		return false
	}
	copy(c, a)
	copy(c[len(a):], b)
	c[len(a)+len(b)] = 0
	return true
}

// openEntry is openat(2).
func openEntry(at int, name string, flags int, mode fs.FileMode) (fd int, err error) {
	var c cName
	if !c.set(name) {
		return unix.Openat(at, name, flags, uint32(mode.Perm()))
	}
	opened, _, errno := unix.RawSyscall6(unix.SYS_OPENAT, uintptr(at), uintptr(unsafe.Pointer(&c)), uintptr(flags|unix.O_LARGEFILE), uintptr(mode.Perm()), 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(opened), nil
}

// openBeneath is openat2(2) of a directory by a path in two parts, that may not leave the directory at, nor lead through a symbolic link.
func openBeneath(at int, a, b string) (fd int, err error) {
	var c cName
	if !setCString(c[:], a, b) {
		return openLongBeneath(at, a, b)
	}
	return openPathBeneath(at, &c[0])
}

// openLongBeneath is openBeneath for any path: what it takes of the stack is worth a call of its own.
//
//go:noinline
func openLongBeneath(at int, a, b string) (fd int, err error) {
	var c cPath
	if !setCString(c[:], a, b) {
		how := beneath
		return unix.Openat2(at, a+b, &how)
	}
	return openPathBeneath(at, &c[0])
}

var beneath = unix.OpenHow{Flags: unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS}

func openPathBeneath(at int, path *byte) (fd int, err error) {
	opened, _, errno := unix.RawSyscall6(unix.SYS_OPENAT2, uintptr(at), uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&beneath)), unsafe.Sizeof(beneath), 0, 0)
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
	_, _, errno := unix.RawSyscall6(number, uintptr(at), uintptr(unsafe.Pointer(&c)), uintptr(unsafe.Pointer(stat)), unix.AT_SYMLINK_NOFOLLOW, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// statFD is fstat(2).
func statFD(fd int, stat *unix.Stat_t) error {
	if fstatatNumber() == 0 {
		return unix.Fstat(fd, stat)
	}
	_, _, errno := unix.RawSyscall(unix.SYS_FSTAT, uintptr(fd), uintptr(unsafe.Pointer(stat)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// readFD is read(2), writeFD write(2).
func readFD(fd int, buf []byte) (n int, err error)    { return transfer(unix.SYS_READ, fd, buf) }
func writeFD(fd int, block []byte) (n int, err error) { return transfer(unix.SYS_WRITE, fd, block) }

// readEntries is getdents64(2).
func readEntries(fd int, buf []byte) (n int, err error) {
	return transfer(unix.SYS_GETDENTS64, fd, buf)
}

func transfer(call uintptr, fd int, buf []byte) (n int, err error) {
	moved, _, errno := unix.RawSyscall(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)))
	if errno != 0 {
		return -1, errno
	}
	return int(moved), nil
}

// closeFD is close(2) of a file that nothing is lost of.
func closeFD(fd int) { unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// fstatatNumber is the number of the call that fills in a Stat_t, which has another name on each architecture; 0 where it is not known
// here, nor whether fstat fills it in.
func fstatatNumber() uintptr {
	switch runtime.GOARCH {
	case "amd64":
		return 262
	case "arm64":
		return 79
	}
	return 0
}
