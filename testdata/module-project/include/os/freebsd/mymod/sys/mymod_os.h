/* SPDX-License-Identifier: MIT */
/* The lock of FreeBSD. */
#ifndef _OS_FREEBSD_MYMOD_SYS_MYMOD_OS_H
#define	_OS_FREEBSD_MYMOD_SYS_MYMOD_OS_H

typedef struct mymod_os_lock {
	void *mol_owner;
} mymod_os_lock_t;

#endif /* _OS_FREEBSD_MYMOD_SYS_MYMOD_OS_H */
