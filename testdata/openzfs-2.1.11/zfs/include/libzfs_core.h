/* SPDX-License-Identifier: MIT */
/* The thin library: one call for one ioctl, arguments as name-value lists. */
#ifndef _LIBZFS_CORE_H
#define	_LIBZFS_CORE_H

#include <sys/nvpair.h>
#include <sys/zfs_ioctl.h>

int libzfs_core_call(enum zfs_ioctl_number number, const char *name,
    const struct nvlist_ref *args, struct nvlist_ref *answer);

#endif /* _LIBZFS_CORE_H */
