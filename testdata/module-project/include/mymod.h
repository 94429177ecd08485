/* SPDX-License-Identifier: MIT */
/* What a program uses. */
#ifndef _MYMOD_H
#define	_MYMOD_H

#include <sys/fs/mymod.h>

int mymod_open(const char *name, struct mymod_stat *stat);

#endif /* _MYMOD_H */
