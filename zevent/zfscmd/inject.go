package zfscmd

import (
	"encoding/binary"
	"syscall"
)

// DeviceFault is a fault that InjectFault puts upon a vdev: the fields in use
// of a zinject_record_t with zi_cmd ZINJECT_DEVICE_FAULT. The zero value is none.
type DeviceFault struct {
	Vdev  uint64        // zi_guid: of a leaf
	Errno syscall.Errno // zi_error: EIO fails the I/O, EILSEQ flips a bit of what was read
	IO    IOType        // zi_iotype
}

// IOType is the kind of I/O that fails: zio_type_t of include/sys/fs/zfs.h.
type IOType uint32

const (
	Reads  IOType = 1 // ZIO_TYPE_READ
	Writes IOType = 2 // ZIO_TYPE_WRITE
)

// Offsets of the fields in use of zinject_record_t, in bytes; 0.7 to 2.4. What 2.3.1
// and 2.4 added stands behind them.
const (
	offInjectGUID   = 32
	offInjectError  = 44
	offInjectIOType = 320
	offInjectCmd    = 344
)

const zinjectDeviceFault = 2 // ZINJECT_DEVICE_FAULT

func (f DeviceFault) marshal(record []byte) {
	if f == (DeviceFault{}) {
		return
	}
	binary.NativeEndian.PutUint64(record[offInjectGUID:], f.Vdev)
	binary.NativeEndian.PutUint32(record[offInjectError:], uint32(f.Errno))
	binary.NativeEndian.PutUint32(record[offInjectIOType:], uint32(f.IO))
	binary.NativeEndian.PutUint32(record[offInjectCmd:], zinjectDeviceFault)
}
