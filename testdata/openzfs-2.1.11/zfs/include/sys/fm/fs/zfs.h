/* SPDX-License-Identifier: MIT */
/* Classes and members of the reports that a pool makes. */
#ifndef _SYS_FM_FS_ZFS_H
#define	_SYS_FM_FS_ZFS_H

#include <sys/fm/protocol.h>
#include <sys/fs/zfs.h>

#define FM_FS_ZFS_CHECKSUM "checksum"
#define FM_FS_ZFS_POOL_GUID "pool_guid"

int fm_fs_zfs_is_checksum(const struct nvlist_ref *report);

#endif /* _SYS_FM_FS_ZFS_H */
