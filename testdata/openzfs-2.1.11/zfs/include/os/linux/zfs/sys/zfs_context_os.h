/* SPDX-License-Identifier: MIT */
/* The part of the context that is Linux's own. */
#ifndef _OS_LINUX_ZFS_SYS_ZFS_CONTEXT_OS_H
#define	_OS_LINUX_ZFS_SYS_ZFS_CONTEXT_OS_H

#include <os/linux/kernel/linux/simd.h>
#include <os/linux/kernel/linux/vfs_compat.h>
#include <os/linux/spl/sys/time.h>

#define ZFS_CONTEXT_OS "linux"

#endif /* _OS_LINUX_ZFS_SYS_ZFS_CONTEXT_OS_H */
