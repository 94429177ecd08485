/* SPDX-License-Identifier: MIT */
/* Name-value lists. */
#ifndef _SYS_NVPAIR_H
#define	_SYS_NVPAIR_H

#include <sys/nvpair_impl.h>

int nvlist_ref_uint64(const struct nvlist_ref *list, const char *name,
    uint64_t *value);

#endif /* _SYS_NVPAIR_H */
