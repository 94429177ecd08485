/* SPDX-License-Identifier: MIT */
/* What programs and the module share. */
#ifndef _SYS_FS_MYMOD_H
#define	_SYS_FS_MYMOD_H

struct mymod_stat {
	unsigned long ms_objects;
	unsigned long ms_bytes;
};

#endif /* _SYS_FS_MYMOD_H */
