/* SPDX-License-Identifier: MIT */
/* The zstd compressor, as the pipeline calls it. */
#ifndef _SYS_ZSTD_ZSTD_H
#define	_SYS_ZSTD_ZSTD_H

#include <os/linux/spl/sys/types.h>

size_t zstd_pipeline_compress(const void *from, void *to, size_t length,
    int level);

#endif /* _SYS_ZSTD_ZSTD_H */
