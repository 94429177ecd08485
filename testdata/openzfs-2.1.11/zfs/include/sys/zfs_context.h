/* SPDX-License-Identifier: MIT */
/* What every source file of the module needs first. */
#ifndef _SYS_ZFS_CONTEXT_H
#define	_SYS_ZFS_CONTEXT_H

#include <os/linux/zfs/sys/zfs_context_os.h>
#include <os/linux/spl/sys/types.h>
#include <os/linux/spl/sys/debug.h>
#include <os/linux/spl/sys/list.h>

#define ZFS_CONTEXT_ALIGN(x, a) (((x) + (a) - 1) & ~((a) - 1))

#endif /* _SYS_ZFS_CONTEXT_H */
