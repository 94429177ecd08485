/* SPDX-License-Identifier: MIT */
/* What the commands and the kernel both need to know of histories. */
#ifndef _ZFS_COMUTIL_H
#define	_ZFS_COMUTIL_H

#include <sys/fs/zfs.h>
#include <sys/nvpair.h>

int zfs_comutil_history_kept(const struct nvlist_ref *history);

#endif /* _ZFS_COMUTIL_H */
