/* SPDX-License-Identifier: MIT */
/* Names of the members that every fault report has. */
#ifndef _SYS_FM_PROTOCOL_H
#define	_SYS_FM_PROTOCOL_H

#include <sys/nvpair.h>

#define FM_PROTOCOL_CLASS "class"
#define FM_PROTOCOL_VERSION "version"

const char *fm_protocol_class(const struct nvlist_ref *report);

#endif /* _SYS_FM_PROTOCOL_H */
