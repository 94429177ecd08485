/* SPDX-License-Identifier: MIT */
/* The registry of cipher providers. */
#ifndef _SYS_CRYPTO_IMPL_H
#define	_SYS_CRYPTO_IMPL_H

#include <sys/crypto/common.h>

struct crypto_provider {
	const char *name;
	uint32_t mechanisms;
};

#endif /* _SYS_CRYPTO_IMPL_H */
