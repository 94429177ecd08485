package zfscmd

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// bufferBytes is larger than every zfs_cmd_t so far (13760, release 2.3.1):
// the kernel writes back as many bytes as its own structure has.
const bufferBytes = 16384

// Offsets of the fields in use, in bytes; struct zfs_cmd of
// include/sys/zfs_ioctl.h, releases 0.6.3 to 2.4.
const (
	offName      = 0 // char[4096]
	offSrc       = 4096
	offSrcSize   = 4104
	offDst       = 4112
	offDstSize   = 4120
	offDstFilled = 4128 // uint32
	offGUID      = 12592
	offConf      = 12600
	offConfSize  = 12608
	offCookie    = 12616
)

// offCleanupFD holds where zc_cleanup_fd (int32) stands: in 0.6.3 to 0.6.5, in
// 0.7 and later, and in 2.3.1. The events ioctls of a release read one of them
// and never look at what the others hold there.
var offCleanupFD = [...]int{13656, 13664, 13680}

// maxNameBytes is the longest zc_name without its NUL.
const maxNameBytes = 4095

// Command is the number of an ioctl. Linux takes it as it is, without the
// direction and size bits of _IOC.
type Command uint32

// Numbers of enum zfs_ioc in include/sys/fs/zfs.h. Those of the events are
// valid from 0.6.3 on; earlier releases used others.
const (
	PoolCreate  Command = 0x5a00 // ZFS_IOC_POOL_CREATE
	PoolDestroy Command = 0x5a01 // ZFS_IOC_POOL_DESTROY
	EventsNext  Command = 0x5a81 // ZFS_IOC_EVENTS_NEXT
	EventsClear Command = 0x5a82 // ZFS_IOC_EVENTS_CLEAR
	EventsSeek  Command = 0x5a83 // ZFS_IOC_EVENTS_SEEK
)

// String is the name that OpenZFS gives the ioctl.
func (c Command) String() string {
	switch c {
	case PoolCreate:
		return "ZFS_IOC_POOL_CREATE"
	case PoolDestroy:
		return "ZFS_IOC_POOL_DESTROY"
	case EventsNext:
		return "ZFS_IOC_EVENTS_NEXT"
	case EventsClear:
		return "ZFS_IOC_EVENTS_CLEAR"
	case EventsSeek:
		return "ZFS_IOC_EVENTS_SEEK"
	}
	return fmt.Sprintf("ioctl %#x", uint32(c))
}

// Args are the fields that the caller fills; a zero field stays zero.
type Args struct {
	Name      string // zc_name: a pool
	GUID      uint64 // zc_guid: flags of EventsNext, EID of EventsSeek
	CleanupFD int    // zc_cleanup_fd
	Src       []byte // zc_nvlist_src: properties of PoolCreate
	Conf      []byte // zc_nvlist_conf: vdev tree of PoolCreate
	Dst       []byte // zc_nvlist_dst: where the kernel puts its nvlist
}

// Reply are the fields that the kernel sets. They are also valid beside an
// [*Error].
type Reply struct {
	DstBytes  uint64 // zc_nvlist_dst_size: bytes of the nvlist, or that it would need
	DstFilled bool   // zc_nvlist_dst_filled
	Cookie    uint64 // zc_cookie: events dropped or cleared
}

// addresses are where the buffers of Args lie in memory.
type addresses struct{ src, conf, dst uint64 }

func (a Args) marshal(at addresses) (*[bufferBytes]byte, error) {
	if len(a.Name) > maxNameBytes || strings.IndexByte(a.Name, 0) >= 0 {
		return nil, fmt.Errorf("name %.80q of %d bytes: want at most %d and no NUL", a.Name, len(a.Name), maxNameBytes)
	}
	b := new([bufferBytes]byte)
	copy(b[offName:], a.Name)
	put := func(off int, v uint64) { binary.NativeEndian.PutUint64(b[off:], v) }
	put(offGUID, a.GUID)
	put(offSrc, at.src)
	put(offSrcSize, uint64(len(a.Src)))
	put(offConf, at.conf)
	put(offConfSize, uint64(len(a.Conf)))
	put(offDst, at.dst)
	put(offDstSize, uint64(len(a.Dst)))
	for _, off := range offCleanupFD {
		binary.NativeEndian.PutUint32(b[off:], uint32(int32(a.CleanupFD)))
	}
	return b, nil
}

func unmarshal(b *[bufferBytes]byte) Reply {
	return Reply{
		DstBytes:  binary.NativeEndian.Uint64(b[offDstSize:]),
		DstFilled: binary.NativeEndian.Uint32(b[offDstFilled:]) != 0,
		Cookie:    binary.NativeEndian.Uint64(b[offCookie:]),
	}
}
