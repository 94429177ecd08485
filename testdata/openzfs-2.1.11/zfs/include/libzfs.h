/* SPDX-License-Identifier: MIT */
/* The user-space library handle and how a dataset is opened with it. */
#ifndef _LIBZFS_H
#define	_LIBZFS_H

#include <sys/fs/zfs.h>
#include <sys/nvpair.h>
#include <zfs_prop.h>

struct libzfs_session;

struct libzfs_session *libzfs_session_open(void);
void libzfs_session_close(struct libzfs_session *session);
int libzfs_session_type(struct libzfs_session *session, const char *name,
    enum fs_zfs_kind *kind);

#endif /* _LIBZFS_H */
