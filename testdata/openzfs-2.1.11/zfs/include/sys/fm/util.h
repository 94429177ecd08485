/* SPDX-License-Identifier: MIT */
/* The queue of reports, on its way to user space. */
#ifndef _SYS_FM_UTIL_H
#define	_SYS_FM_UTIL_H

#include <sys/fm/protocol.h>

int fm_util_queue(const struct nvlist_ref *report);

#endif /* _SYS_FM_UTIL_H */
