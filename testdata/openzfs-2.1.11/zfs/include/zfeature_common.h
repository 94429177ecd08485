/* SPDX-License-Identifier: MIT */
/* Pool feature flags, known to the kernel and to user space alike. */
#ifndef _ZFEATURE_COMMON_H
#define	_ZFEATURE_COMMON_H

#include <os/linux/spl/sys/types.h>

enum zfeature_flag {
	ZFEATURE_READONLY_COMPAT = 1 << 0,
	ZFEATURE_PER_DATASET = 1 << 1,
};

int zfeature_known(const char *guid, uint32_t *flags);

#endif /* _ZFEATURE_COMMON_H */
