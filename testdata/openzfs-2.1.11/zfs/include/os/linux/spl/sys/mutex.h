/* SPDX-License-Identifier: MIT */
/* A lock that may sleep. */
#ifndef _OS_LINUX_SPL_SYS_MUTEX_H
#define	_OS_LINUX_SPL_SYS_MUTEX_H

#include <os/linux/spl/sys/debug.h>

struct spl_mutex {
	void *owner;
};

void spl_mutex_enter(struct spl_mutex *mutex);
void spl_mutex_exit(struct spl_mutex *mutex);

#endif /* _OS_LINUX_SPL_SYS_MUTEX_H */
