/* SPDX-License-Identifier: MIT */
/* The virtual file system, the same for every kernel that we build on. */
#ifndef _OS_LINUX_KERNEL_LINUX_VFS_COMPAT_H
#define	_OS_LINUX_KERNEL_LINUX_VFS_COMPAT_H

#include <linux/types.h>

int vfs_compat_readonly(unsigned long mount_flags);

#endif /* _OS_LINUX_KERNEL_LINUX_VFS_COMPAT_H */
