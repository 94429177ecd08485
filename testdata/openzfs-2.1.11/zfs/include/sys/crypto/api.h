/* SPDX-License-Identifier: MIT */
/* Encrypting and decrypting, as a caller does it. */
#ifndef _SYS_CRYPTO_API_H
#define	_SYS_CRYPTO_API_H

#include <sys/crypto/common.h>

int crypto_api_seal(struct crypto_bytes key, struct crypto_bytes plain,
    uint8_t *sealed);

#endif /* _SYS_CRYPTO_API_H */
