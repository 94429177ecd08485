/* SPDX-License-Identifier: MIT */
/* Volumes: a dataset that looks like a disk. */
#ifndef _SYS_ZVOL_H
#define	_SYS_ZVOL_H

#include <sys/zil.h>
#include <os/linux/kernel/linux/blkdev_compat.h>

struct zvol_disk {
	uint64_t bytes;
	struct blkdev_limits limits;
};

#endif /* _SYS_ZVOL_H */
