/* SPDX-License-Identifier: MIT */
/* Virtual devices, as the pool sees them. */
#ifndef _SYS_VDEV_H
#define	_SYS_VDEV_H

#include <sys/spa.h>
#include <sys/zio.h>

enum vdev_health { VDEV_HEALTH_OK, VDEV_HEALTH_DEGRADED, VDEV_HEALTH_GONE };

enum vdev_health vdev_health_of(const struct spa_ref *pool, uint64_t guid);

#endif /* _SYS_VDEV_H */
