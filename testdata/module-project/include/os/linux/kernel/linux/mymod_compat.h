/* SPDX-License-Identifier: MIT */
/* What differs between kernels. */
#ifndef _OS_LINUX_KERNEL_LINUX_MYMOD_COMPAT_H
#define	_OS_LINUX_KERNEL_LINUX_MYMOD_COMPAT_H

#include <mymod_config.h>

#endif /* _OS_LINUX_KERNEL_LINUX_MYMOD_COMPAT_H */
