/* SPDX-License-Identifier: MIT */
/* How a name-value list lies in memory. */
#ifndef _SYS_NVPAIR_IMPL_H
#define	_SYS_NVPAIR_IMPL_H

#include <os/linux/spl/sys/types.h>
#include <os/linux/spl/rpc/xdr.h>

struct nvlist_ref {
	uint8_t *packed;
	size_t length;
};

#endif /* _SYS_NVPAIR_IMPL_H */
