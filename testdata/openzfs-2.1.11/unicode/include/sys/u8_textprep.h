/* SPDX-License-Identifier: MIT */
/* Preparing UTF-8 names for comparison. */
#ifndef _SYS_U8_TEXTPREP_H
#define	_SYS_U8_TEXTPREP_H

#include <os/linux/spl/sys/types.h>

int u8_textprep_fold(const char *name, size_t length, char *folded);

#endif /* _SYS_U8_TEXTPREP_H */
