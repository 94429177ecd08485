/* SPDX-License-Identifier: MIT */
/* Transaction groups: open, quiescing, syncing. */
#ifndef _SYS_TXG_H
#define	_SYS_TXG_H

#include <os/linux/spl/sys/types.h>

enum txg_phase { TXG_PHASE_OPEN, TXG_PHASE_QUIESCING, TXG_PHASE_SYNCING };

typedef uint64_t txg_number_t;

#endif /* _SYS_TXG_H */
