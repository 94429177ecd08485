/* SPDX-License-Identifier: MIT */
/* Queues of work and the threads that do it. */
#ifndef _OS_LINUX_SPL_SYS_TASKQ_H
#define	_OS_LINUX_SPL_SYS_TASKQ_H

#include <os/linux/spl/sys/list.h>
#include <os/linux/spl/sys/mutex.h>

struct spl_taskq {
	struct spl_mutex lock;
	struct spl_list_link waiting;
};

#endif /* _OS_LINUX_SPL_SYS_TASKQ_H */
