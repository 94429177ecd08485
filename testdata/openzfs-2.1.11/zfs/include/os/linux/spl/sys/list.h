/* SPDX-License-Identifier: MIT */
/* A doubly linked list whose links lie in its members. */
#ifndef _OS_LINUX_SPL_SYS_LIST_H
#define	_OS_LINUX_SPL_SYS_LIST_H

#include <os/linux/spl/sys/types.h>

struct spl_list_link {
	struct spl_list_link *next;
	struct spl_list_link *previous;
};

void spl_list_insert(struct spl_list_link *after, struct spl_list_link *link);

#endif /* _OS_LINUX_SPL_SYS_LIST_H */
