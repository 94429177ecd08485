/* SPDX-License-Identifier: MIT */
/* Name to value maps, stored in an object. */
#ifndef _SYS_ZAP_H
#define	_SYS_ZAP_H

#include <sys/dmu.h>

int zap_map_get(const struct dmu_object_ref *map, const char *name,
    uint64_t *value);

#endif /* _SYS_ZAP_H */
