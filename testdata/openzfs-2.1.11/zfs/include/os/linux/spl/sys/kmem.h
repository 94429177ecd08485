/* SPDX-License-Identifier: MIT */
/* Memory for the module. */
#ifndef _OS_LINUX_SPL_SYS_KMEM_H
#define	_OS_LINUX_SPL_SYS_KMEM_H

#include <os/linux/spl/sys/types.h>

void *spl_kmem_take(size_t length, int may_sleep);
void spl_kmem_give(void *memory, size_t length);

#endif /* _OS_LINUX_SPL_SYS_KMEM_H */
