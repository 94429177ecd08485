/* SPDX-License-Identifier: MIT */
/* Types that callers and providers of ciphers share. */
#ifndef _SYS_CRYPTO_COMMON_H
#define	_SYS_CRYPTO_COMMON_H

#include <os/linux/spl/sys/types.h>

struct crypto_bytes {
	const uint8_t *data;
	size_t length;
};

#endif /* _SYS_CRYPTO_COMMON_H */
