package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// Ioctls that take name-value lists, by their numbers in enum zfs_ioc of include/sys/fs/zfs.h, 0.7 and later. What their
// lists hold is told by the tables zfs_keys_* of module/zfs/zfs_ioctl.c.
const (
	ioctlSnapshot zfscmd.Command = 0x5a23 // ZFS_IOC_SNAPSHOT
	ioctlSend     zfscmd.Command = 0x5a40 // ZFS_IOC_SEND_NEW
	ioctlReceive  zfscmd.Command = 0x5a46 // ZFS_IOC_RECV_NEW
)

const (
	poolName = "kmodaudit-stackload"

	vdevBytes    = 128 << 20 // twice SPA_MINDEVSIZE, the least that vdev_open takes
	replyBytes   = 64 << 10
	recordBytes  = 312 // sizeof (dmu_replay_record_t), include/sys/zfs_ioctl.h
	contentBytes = 1 << 20
)

// load is a pool on a file, and what is done with it.
type load struct {
	device     *os.File
	vdev       string // files
	stream     string
	mountPoint string
	created    bool
}

func open(device, dir string) (*load, error) {
	f, err := os.OpenFile(device, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the module's device: %w", err)
	}
	at := func(suffix string) string { return filepath.Join(dir, poolName+suffix) }
	return &load{device: f, vdev: at(".vdev"), stream: at(".stream"), mountPoint: at(".mount")}, nil
}

// close takes the pool and the files away.
func (l *load) close() error {
	var err error
	if l.created {
		if err = l.ioctl(zfscmd.PoolDestroy, zfscmd.Args{Name: poolName}); err != nil {
			err = fmt.Errorf("destroying the pool %s, which remains: %w", poolName, err)
		}
	}
	for _, file := range []string{l.vdev, l.stream, l.mountPoint} {
		if removed := os.Remove(file); !errors.Is(removed, os.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}
	return errors.Join(err, l.device.Close())
}

// A step is what one trace is of.
type step struct {
	what string
	do   func() error
}

func (l *load) steps() []step {
	return []step{
		{"creating a pool", l.create},
		{"writing a file", l.write},
		{"taking a snapshot", l.snapshot},
		{"sending a snapshot", l.send},
		{"receiving a snapshot", l.receive},
	}
}

func (l *load) create() error {
	f, err := os.OpenFile(l.vdev, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(vdevBytes), f.Close()); err != nil {
		return err
	}
	file := nvlist.New(text("type", "file"), text("path", l.vdev))
	root := nvlist.New(text("type", "root"), nvlist.Pair{Name: "children", Type: nvlist.NVListArray, Value: []nvlist.List{file}})
	conf, err := nvlist.Encode(root, nvlist.Host())
	if err != nil {
		return err
	}
	src, err := nvlist.Encode(nvlist.New(text("cachefile", "none")), nvlist.Host())
	if err != nil {
		return err
	}
	err = l.ioctl(zfscmd.PoolCreate, zfscmd.Args{Name: poolName, Conf: conf, Src: src})
	l.created = err == nil
	return err
}

// write writes a file into the pool's file system. The kernel mounts it by itself: zfsutil is what mount.zfs passes.
func (l *load) write() error {
	if err := os.Mkdir(l.mountPoint, 0o700); err != nil {
		return err
	}
	if err := unix.Mount(poolName, l.mountPoint, "zfs", 0, "zfsutil"); err != nil {
		return fmt.Errorf("mounting %s: %w", poolName, err)
	}
	err := writeFile(filepath.Join(l.mountPoint, "content"))
	return errors.Join(err, unix.Unmount(l.mountPoint, 0))
}

func writeFile(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	content := make([]byte, contentBytes)
	for i := range content {
		content[i] = byte(i * i >> 7)
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Sync(), f.Close())
}

func (l *load) snapshot() error {
	snaps := nvlist.New(nvlist.Pair{Name: poolName + "@sent", Type: nvlist.Boolean})
	return l.call(ioctlSnapshot, poolName, nvlist.Pair{Name: "snaps", Type: nvlist.NVList, Value: snaps})
}

func (l *load) send() error {
	stream, err := os.Create(l.stream)
	if err != nil {
		return err
	}
	err = l.call(ioctlSend, poolName+"@sent", number("fd", int(stream.Fd())))
	return errors.Join(err, stream.Close())
}

// receive hands the module the stream behind its first record, which the ioctl takes by itself.
func (l *load) receive() error {
	stream, err := os.Open(l.stream)
	if err != nil {
		return err
	}
	defer stream.Close()
	begin := make([]byte, recordBytes)
	if _, err := io.ReadFull(stream, begin); err != nil {
		return err
	}
	return l.call(ioctlReceive, poolName,
		text("snapname", poolName+"/received@sent"),
		nvlist.Pair{Name: "begin_record", Type: nvlist.ByteArray, Value: begin},
		number("input_fd", int(stream.Fd())))
}

// call issues an ioctl that takes a list and answers with one.
func (l *load) call(c zfscmd.Command, name string, arguments ...nvlist.Pair) error {
	src, err := nvlist.Encode(nvlist.New(arguments...), nvlist.Host())
	if err != nil {
		return err
	}
	return l.ioctl(c, zfscmd.Args{Name: name, Src: src, Dst: make([]byte, replyBytes)})
}

func (l *load) ioctl(c zfscmd.Command, args zfscmd.Args) error {
	_, err := zfscmd.Do(int(l.device.Fd()), c, args)
	return err
}

func text(name, value string) nvlist.Pair {
	return nvlist.Pair{Name: name, Type: nvlist.String, Value: value}
}

func number(name string, value int) nvlist.Pair {
	return nvlist.Pair{Name: name, Type: nvlist.Int32, Value: int32(value)}
}
