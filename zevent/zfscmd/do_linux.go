package zfscmd

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

// Do issues one ioctl on an open /dev/zfs. A refusal by the kernel is an
// [*Error]. Interrupted calls (EINTR) are returned, not repeated.
func Do(fd int, c Command, args Args) (Reply, error) {
	// zfs_cmd_t holds addresses as integers, which the garbage collector
	// does not see: pinning keeps the buffers alive and in place.
	var pinner runtime.Pinner
	defer pinner.Unpin()
	address := func(b []byte) uint64 {
		if len(b) == 0 {
			return 0
		}
		pinner.Pin(&b[0])
		return uint64(uintptr(unsafe.Pointer(&b[0])))
	}
	buf, err := args.marshal(addresses{src: address(args.Src), conf: address(args.Conf), dst: address(args.Dst)})
	if err != nil {
		return Reply{}, fmt.Errorf("%v: %w", c, err)
	}
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), uintptr(c), uintptr(unsafe.Pointer(buf)))
	reply := unmarshal(buf)
	if errno != 0 {
		return reply, &Error{Command: c, Errno: errno, NeedBytes: needBytes(errno, reply)}
	}
	return reply, nil
}
