/* SPDX-License-Identifier: MIT */
/* Time as the module counts it: nanoseconds since boot. */
#ifndef _OS_LINUX_SPL_SYS_TIME_H
#define	_OS_LINUX_SPL_SYS_TIME_H

#include <os/linux/spl/sys/types.h>

typedef int64_t spl_nanoseconds_t;

spl_nanoseconds_t spl_time_since_boot(void);

#endif /* _OS_LINUX_SPL_SYS_TIME_H */
