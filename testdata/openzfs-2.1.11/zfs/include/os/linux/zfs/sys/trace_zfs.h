/* SPDX-License-Identifier: MIT */
/* The trace points, by subsystem. */
#ifndef _OS_LINUX_ZFS_SYS_TRACE_ZFS_H
#define	_OS_LINUX_ZFS_SYS_TRACE_ZFS_H

#include <os/linux/zfs/sys/zfs_context_os.h>
#include <os/linux/spl/sys/types.h>

void trace_zfs_point(const char *subsystem, uint64_t argument);

#endif /* _OS_LINUX_ZFS_SYS_TRACE_ZFS_H */
