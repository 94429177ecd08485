/* SPDX-License-Identifier: MIT */
/* What other modules use. */
#ifndef _SYS_MYMOD_KSYMS_H
#define	_SYS_MYMOD_KSYMS_H

#include <linux/mymod_compat.h>
#include <sys/fs/mymod.h>
#include <sys/mymod_os.h>

int mymod_stat(mymod_os_lock_t *lock, struct mymod_stat *stat);

#endif /* _SYS_MYMOD_KSYMS_H */
