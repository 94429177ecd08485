/* SPDX-License-Identifier: MIT */
/* The intent log. */
#ifndef _SYS_ZIL_H
#define	_SYS_ZIL_H

#include <sys/spa.h>
#include <sys/txg.h>

struct zil_position {
	txg_number_t txg;
	uint64_t sequence;
};

#endif /* _SYS_ZIL_H */
