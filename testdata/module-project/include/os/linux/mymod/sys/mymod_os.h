/* SPDX-License-Identifier: MIT */
/* The lock of Linux. */
#ifndef _OS_LINUX_MYMOD_SYS_MYMOD_OS_H
#define	_OS_LINUX_MYMOD_SYS_MYMOD_OS_H

typedef struct mymod_os_lock {
	int mol_held;
} mymod_os_lock_t;

#endif /* _OS_LINUX_MYMOD_SYS_MYMOD_OS_H */
