package zfscmd

import (
	"bytes"
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
	offObject    = 12656
	offInject    = 13296 // zinject_record_t
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
	PoolCreate     Command = 0x5a00 // ZFS_IOC_POOL_CREATE
	PoolDestroy    Command = 0x5a01 // ZFS_IOC_POOL_DESTROY
	PoolImport     Command = 0x5a02 // ZFS_IOC_POOL_IMPORT
	PoolExport     Command = 0x5a03 // ZFS_IOC_POOL_EXPORT
	PoolConfigs    Command = 0x5a04 // ZFS_IOC_POOL_CONFIGS
	PoolStats      Command = 0x5a05 // ZFS_IOC_POOL_STATS
	PoolScan       Command = 0x5a07 // ZFS_IOC_POOL_SCAN
	VdevSetState   Command = 0x5a0d // ZFS_IOC_VDEV_SET_STATE
	InjectFault    Command = 0x5a1d // ZFS_IOC_INJECT_FAULT
	ClearFault     Command = 0x5a1e // ZFS_IOC_CLEAR_FAULT
	InjectListNext Command = 0x5a1f // ZFS_IOC_INJECT_LIST_NEXT
	Clear          Command = 0x5a21 // ZFS_IOC_CLEAR: the errors of a pool
	PoolSetProps   Command = 0x5a26 // ZFS_IOC_POOL_SET_PROPS
	EventsNext     Command = 0x5a81 // ZFS_IOC_EVENTS_NEXT
	EventsClear    Command = 0x5a82 // ZFS_IOC_EVENTS_CLEAR
	EventsSeek     Command = 0x5a83 // ZFS_IOC_EVENTS_SEEK
)

var commandNames = map[Command]string{
	PoolCreate: "POOL_CREATE", PoolDestroy: "POOL_DESTROY", PoolImport: "POOL_IMPORT", PoolExport: "POOL_EXPORT",
	PoolConfigs: "POOL_CONFIGS", PoolStats: "POOL_STATS", PoolScan: "POOL_SCAN", VdevSetState: "VDEV_SET_STATE",
	InjectFault: "INJECT_FAULT", ClearFault: "CLEAR_FAULT", InjectListNext: "INJECT_LIST_NEXT", Clear: "CLEAR", PoolSetProps: "POOL_SET_PROPS",
	EventsNext: "EVENTS_NEXT", EventsClear: "EVENTS_CLEAR", EventsSeek: "EVENTS_SEEK",
}

// String is the name that OpenZFS gives the ioctl.
func (c Command) String() string {
	if name, ok := commandNames[c]; ok {
		return "ZFS_IOC_" + name
	}
	return fmt.Sprintf("ioctl %#x", uint32(c))
}

// ofEvents tells an ioctl of the event queue from one of a pool.
func (c Command) ofEvents() bool { return c == EventsNext || c == EventsClear || c == EventsSeek }

// Args are the fields that the caller fills; a zero field stays zero.
type Args struct {
	Name      string      // zc_name: a pool
	GUID      uint64      // zc_guid: flags of EventsNext, EID of EventsSeek, a pool of PoolImport, a vdev, a fault of ClearFault
	Cookie    uint64      // zc_cookie: kind of PoolScan, state of VdevSetState, NoRewind of Clear
	Object    uint64      // zc_obj: flags of VdevSetState
	Inject    DeviceFault // zc_inject_record of InjectFault
	CleanupFD int         // zc_cleanup_fd
	Src       []byte      // zc_nvlist_src: properties of PoolCreate, PoolImport and PoolSetProps
	Conf      []byte      // zc_nvlist_conf: vdev tree of PoolCreate, configuration of PoolImport
	Dst       []byte      // zc_nvlist_dst: where the kernel puts its nvlist
}

// Values of Args.Cookie.
const (
	ScanScrub    = 1 // PoolScan: POOL_SCAN_SCRUB
	StateOffline = 2 // VdevSetState: VDEV_STATE_OFFLINE
	StateDegrade = 6 // VdevSetState: VDEV_STATE_DEGRADED
	StateOnline  = 7 // VdevSetState: VDEV_STATE_ONLINE
	NoRewind     = 1 // Clear: ZPOOL_NO_REWIND
)

// Reply are the fields that the kernel sets. They are also valid beside an
// [*Error].
type Reply struct {
	DstBytes  uint64 // zc_nvlist_dst_size: bytes of the nvlist, or that it would need
	DstFilled bool   // zc_nvlist_dst_filled
	Name      string // zc_name: the pool of a fault of InjectListNext
	GUID      uint64 // zc_guid: the fault of InjectFault and InjectListNext
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
	put(offCookie, a.Cookie)
	put(offObject, a.Object)
	a.Inject.marshal(b[offInject:])
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
	name, _, _ := bytes.Cut(b[offName:offName+maxNameBytes+1], []byte{0})
	return Reply{
		DstBytes:  binary.NativeEndian.Uint64(b[offDstSize:]),
		DstFilled: binary.NativeEndian.Uint32(b[offDstFilled:]) != 0,
		Name:      string(name),
		GUID:      binary.NativeEndian.Uint64(b[offGUID:]),
		Cookie:    binary.NativeEndian.Uint64(b[offCookie:]),
	}
}
