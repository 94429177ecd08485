/* SPDX-License-Identifier: MIT */
/* Numbers and argument of the calls on the control device. */
#ifndef _SYS_ZFS_IOCTL_H
#define	_SYS_ZFS_IOCTL_H

#include <sys/fs/zfs.h>
#include <sys/fm/protocol.h>

enum zfs_ioctl_number { ZFS_IOCTL_FIRST = 0x5a00 };

struct zfs_ioctl_argument {
	char name[256];
	uint64_t list;
	uint64_t list_bytes;
};

#endif /* _SYS_ZFS_IOCTL_H */
