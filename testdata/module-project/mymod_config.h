/* SPDX-License-Identifier: MIT */
/* What configure found out about the kernel. */
#ifndef _MYMOD_CONFIG_H
#define	_MYMOD_CONFIG_H

#define	HAVE_MYMOD_FOLIO 1

#endif /* _MYMOD_CONFIG_H */
