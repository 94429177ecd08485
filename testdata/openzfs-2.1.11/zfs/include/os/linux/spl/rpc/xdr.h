/* SPDX-License-Identifier: MIT */
/* External data representation, as far as name-value lists need it. */
#ifndef _OS_LINUX_SPL_RPC_XDR_H
#define	_OS_LINUX_SPL_RPC_XDR_H

#include <os/linux/spl/sys/types.h>

struct xdr_cursor {
	uint8_t *at;
	uint8_t *end;
};

int xdr_cursor_uint32(struct xdr_cursor *cursor, uint32_t *value);

#endif /* _OS_LINUX_SPL_RPC_XDR_H */
