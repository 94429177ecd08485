/* SPDX-License-Identifier: MIT */
/* What is the module's own. */
#ifndef _SYS_MYMOD_IMPL_H
#define	_SYS_MYMOD_IMPL_H

#include <sys/mymod_ksyms.h>

extern unsigned long mymod_objects;

#endif /* _SYS_MYMOD_IMPL_H */
