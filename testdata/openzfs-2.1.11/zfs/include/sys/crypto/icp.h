/* SPDX-License-Identifier: MIT */
/* Starting and stopping the cipher providers. */
#ifndef _SYS_CRYPTO_ICP_H
#define	_SYS_CRYPTO_ICP_H

#include <sys/crypto/common.h>
#include <sys/crypto/impl.h>

int crypto_icp_start(void);
void crypto_icp_stop(void);

#endif /* _SYS_CRYPTO_ICP_H */
