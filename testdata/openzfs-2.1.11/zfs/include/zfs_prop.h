/* SPDX-License-Identifier: MIT */
/* The table of dataset properties. */
#ifndef _ZFS_PROP_H
#define	_ZFS_PROP_H

#include <sys/fs/zfs.h>

struct zfs_prop_row {
	const char *name;
	enum fs_zfs_kind applies_to;
	int inherited;
};

const struct zfs_prop_row *zfs_prop_find(const char *name);

#endif /* _ZFS_PROP_H */
