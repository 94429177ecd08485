/* SPDX-License-Identifier: MIT */
/* Delegated permissions. */
#ifndef _ZFS_DELEG_H
#define	_ZFS_DELEG_H

#include <sys/fs/zfs.h>

const char *zfs_deleg_name(uint32_t permission);

#endif /* _ZFS_DELEG_H */
