/* SPDX-License-Identifier: MIT */
/* A balanced tree whose links lie in its members. */
#ifndef _SYS_AVL_H
#define	_SYS_AVL_H

#include <sys/avl_impl.h>

struct avl_index {
	struct avl_link *root;
	int (*compare)(const void *, const void *);
	size_t link_offset;
	uint64_t count;
};

void *avl_index_find(const struct avl_index *tree, const void *like);

#endif /* _SYS_AVL_H */
