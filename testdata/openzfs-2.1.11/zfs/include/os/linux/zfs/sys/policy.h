/* SPDX-License-Identifier: MIT */
/* Who may do what. */
#ifndef _OS_LINUX_ZFS_SYS_POLICY_H
#define	_OS_LINUX_ZFS_SYS_POLICY_H

#include <os/linux/zfs/sys/zfs_context_os.h>

int policy_may_mount(unsigned int user);

#endif /* _OS_LINUX_ZFS_SYS_POLICY_H */
