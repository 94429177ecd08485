/* SPDX-License-Identifier: MIT */
/* The input-output pipeline. */
#ifndef _SYS_ZIO_H
#define	_SYS_ZIO_H

#include <sys/spa.h>
#include <os/linux/spl/sys/taskq.h>

enum zio_direction { ZIO_DIRECTION_READ, ZIO_DIRECTION_WRITE };

struct zio_request {
	enum zio_direction direction;
	struct spa_blkptr where;
	uint64_t bytes;
};

#endif /* _SYS_ZIO_H */
