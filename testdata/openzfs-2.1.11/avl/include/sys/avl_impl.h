/* SPDX-License-Identifier: MIT */
/* A node of the balanced tree. */
#ifndef _SYS_AVL_IMPL_H
#define	_SYS_AVL_IMPL_H

#include <os/linux/spl/sys/types.h>

struct avl_link {
	struct avl_link *child[2];
	struct avl_link *parent;
	int balance;
};

#endif /* _SYS_AVL_IMPL_H */
