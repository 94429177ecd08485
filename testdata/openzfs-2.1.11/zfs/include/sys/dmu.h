/* SPDX-License-Identifier: MIT */
/* Objects: reading, writing and freeing their bytes in a transaction. */
#ifndef _SYS_DMU_H
#define	_SYS_DMU_H

#include <sys/zfs_context.h>
#include <sys/spa.h>
#include <sys/fs/zfs.h>

struct dmu_object_ref {
	uint64_t objset;
	uint64_t object;
};

int dmu_object_copyin(const struct dmu_object_ref *obj, uint64_t offset,
    uint64_t length, const void *from);
int dmu_object_copyout(const struct dmu_object_ref *obj, uint64_t offset,
    uint64_t length, void *to);

#endif /* _SYS_DMU_H */
