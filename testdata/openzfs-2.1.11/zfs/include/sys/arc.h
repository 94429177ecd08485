/* SPDX-License-Identifier: MIT */
/* The adaptive replacement cache. */
#ifndef _SYS_ARC_H
#define	_SYS_ARC_H

#include <sys/zio.h>
#include <os/linux/spl/sys/kmem.h>

struct arc_census {
	uint64_t bytes;
	uint64_t hits;
	uint64_t misses;
};

void arc_census_read(struct arc_census *census);

#endif /* _SYS_ARC_H */
