/* SPDX-License-Identifier: MIT */
/* Which names a pool, a dataset and a snapshot may have. */
#ifndef _ZFS_NAMECHECK_H
#define	_ZFS_NAMECHECK_H

enum namecheck_verdict {
	NAMECHECK_OK,
	NAMECHECK_TOO_LONG,
	NAMECHECK_BAD_BYTE,
};

enum namecheck_verdict namecheck_dataset(const char *name);

#endif /* _ZFS_NAMECHECK_H */
