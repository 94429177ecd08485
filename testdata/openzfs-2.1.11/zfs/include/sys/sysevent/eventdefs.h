/* SPDX-License-Identifier: MIT */
/* Names of the events that a pool posts. */
#ifndef _SYS_SYSEVENT_EVENTDEFS_H
#define	_SYS_SYSEVENT_EVENTDEFS_H

#define EVENTDEFS_POOL_IMPORT "pool_import"
#define EVENTDEFS_SCRUB_FINISH "scrub_finish"

#endif /* _SYS_SYSEVENT_EVENTDEFS_H */
