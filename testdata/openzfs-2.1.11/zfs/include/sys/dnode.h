/* SPDX-License-Identifier: MIT */
/* The on-disk shape of an object's root. */
#ifndef _SYS_DNODE_H
#define	_SYS_DNODE_H

#include <sys/dmu.h>

#define DNODE_SECTOR_BYTES 512

struct dnode_shape {
	uint8_t levels;
	uint8_t block_pointers;
	uint16_t data_block_sectors;
};

#endif /* _SYS_DNODE_H */
