/* SPDX-License-Identifier: MIT */
/* What user space and the kernel agree on about datasets. */
#ifndef _SYS_FS_ZFS_H
#define	_SYS_FS_ZFS_H

#include <os/linux/spl/sys/types.h>

enum fs_zfs_kind {
	FS_ZFS_FILESYSTEM = 1 << 0,
	FS_ZFS_SNAPSHOT = 1 << 1,
	FS_ZFS_VOLUME = 1 << 2,
};

#define FS_ZFS_CONTROL_DEVICE "/dev/zfs"

#endif /* _SYS_FS_ZFS_H */
