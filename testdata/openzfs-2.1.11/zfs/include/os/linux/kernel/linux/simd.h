/* SPDX-License-Identifier: MIT */
/* Whether vector registers may be used here. */
#ifndef _OS_LINUX_KERNEL_LINUX_SIMD_H
#define	_OS_LINUX_KERNEL_LINUX_SIMD_H

int simd_allowed(void);
void simd_begin(void);
void simd_end(void);

#endif /* _OS_LINUX_KERNEL_LINUX_SIMD_H */
