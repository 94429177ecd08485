package guest

import (
	"os"

	"golang.org/x/sys/unix"
)

// newMemory returns memory that has a descriptor, but no name in a file system. It goes with its last descriptor.
func newMemory(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}
