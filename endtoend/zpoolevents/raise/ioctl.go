//go:build linux

package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// vdevAttach is ZFS_IOC_VDEV_ATTACH of include/sys/fs/zfs.h.
const vdevAttach zfscmd.Command = 0x5a0e

// Values of zc_cookie.
const (
	replace      = 1 // vdevAttach: the new vdev takes the place of the old
	stateRemoved = 3 // VdevSetState: VDEV_STATE_REMOVED
)

// ioctl does to pools what zpool refuses to.
//
//	create POOL FILE [KEY VALUE]   a pool on a file that may be none, with a property of its vdev: phys_path, ashift
//	attach POOL GUID FILE          puts a spare in the place of a vdev, which zpool does for none on a file
//	remove POOL GUID               has a vdev be gone, as zed does for a disk that was pulled
func ioctl(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("ioctl %q: want a verb, a pool and what to do it to", args)
	}
	verb, c := args[0], zfscmd.Args{Name: args[1]}
	var number zfscmd.Command
	var err error
	switch {
	case verb == "create":
		number = zfscmd.PoolCreate
		c.Conf, err = tree(args[2], args[3:])
	case verb == "attach" && len(args) == 4:
		number, c.Cookie = vdevAttach, replace
		if c.GUID, err = strconv.ParseUint(args[2], 10, 64); err == nil {
			c.Conf, err = tree(args[3], nil)
		}
	case verb == "remove":
		number, c.Cookie = zfscmd.VdevSetState, stateRemoved
		c.GUID, err = strconv.ParseUint(args[2], 10, 64)
	default:
		err = fmt.Errorf("ioctl %q: want create, attach or remove", args)
	}
	if err != nil {
		return err
	}
	device, err := os.OpenFile("/dev/zfs", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer device.Close()
	_, err = zfscmd.Do(int(device.Fd()), number, c)
	return err
}

// tree is the configuration of a root vdev with a file below it.
func tree(file string, property []string) ([]byte, error) {
	pairs := []nvlist.Pair{text("type", "file"), text("path", file), {Name: "is_log", Type: nvlist.Uint64, Value: uint64(0)}}
	for kv := range slices.Chunk(property, 2) {
		if len(kv) < 2 {
			return nil, fmt.Errorf("property %q of a vdev has no value", kv[0])
		}
		if n, err := strconv.ParseUint(kv[1], 10, 64); err == nil {
			pairs = append(pairs, nvlist.Pair{Name: kv[0], Type: nvlist.Uint64, Value: n})
		} else {
			pairs = append(pairs, text(kv[0], kv[1]))
		}
	}
	return nvlist.Encode(nvlist.New(
		text("type", "root"),
		nvlist.Pair{Name: "children", Type: nvlist.NVListArray, Value: []nvlist.List{nvlist.New(pairs...)}},
	), nvlist.Host())
}

func text(name, value string) nvlist.Pair {
	return nvlist.Pair{Name: name, Type: nvlist.String, Value: value}
}
