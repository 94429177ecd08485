/* SPDX-License-Identifier: MIT */
/* A storage pool, and block pointers into it. */
#ifndef _SYS_SPA_H
#define	_SYS_SPA_H

#include <sys/zfs_context.h>
#include <sys/avl.h>
#include <sys/txg.h>

struct spa_ref {
	uint64_t guid;
	struct avl_index vdevs;
};

struct spa_blkptr {
	uint64_t words[16];
};

int spa_ref_take(const char *name, struct spa_ref **ref);
void spa_ref_drop(struct spa_ref *ref);

#endif /* _SYS_SPA_H */
