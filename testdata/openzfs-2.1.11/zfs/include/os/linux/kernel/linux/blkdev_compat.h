/* SPDX-License-Identifier: MIT */
/* Block devices, the same for every kernel that we build on. */
#ifndef _OS_LINUX_KERNEL_LINUX_BLKDEV_COMPAT_H
#define	_OS_LINUX_KERNEL_LINUX_BLKDEV_COMPAT_H

#include <linux/types.h>

struct blkdev_limits {
	unsigned int sector_bytes;
	unsigned int max_sectors;
};

#endif /* _OS_LINUX_KERNEL_LINUX_BLKDEV_COMPAT_H */
