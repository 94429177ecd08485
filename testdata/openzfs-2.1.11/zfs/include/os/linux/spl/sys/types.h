/* SPDX-License-Identifier: MIT */
/* Integers of a stated width, from the kernel or from the compiler. */
#ifndef _OS_LINUX_SPL_SYS_TYPES_H
#define	_OS_LINUX_SPL_SYS_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
typedef __SIZE_TYPE__ size_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
#endif

#endif /* _OS_LINUX_SPL_SYS_TYPES_H */
