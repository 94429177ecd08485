package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// fileSystems are names for the numbers of statfs(2).
var fileSystems = map[int64]string{
	unix.TMPFS_MAGIC:           "tmpfs",
	unix.EXT4_SUPER_MAGIC:      "ext4", // and ext2 and ext3, which are seldom met
	unix.XFS_SUPER_MAGIC:       "XFS",
	unix.BTRFS_SUPER_MAGIC:     "Btrfs",
	unix.OVERLAYFS_SUPER_MAGIC: "overlayfs",
	unix.F2FS_SUPER_MAGIC:      "F2FS",
	unix.NFS_SUPER_MAGIC:       "NFS",
	0x2fc12fc1:                 "ZFS", // ZFS_SUPER_MAGIC of OpenZFS
}

// fileSystemOf names the file system that a directory is on.
func fileSystemOf(dir string) (string, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return "", fmt.Errorf("asking for the file system of %s: %w", dir, err)
	}
	if name, known := fileSystems[int64(stat.Type)]; known {
		return name, nil
	}
	return fmt.Sprintf("file system %#x", int64(stat.Type)), nil
}
