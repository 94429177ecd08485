/* SPDX-License-Identifier: MIT */
/* Datasets and their snapshots. */
#ifndef _SYS_DSL_DATASET_H
#define	_SYS_DSL_DATASET_H

#include <sys/dmu.h>
#include <sys/zap.h>

struct dsl_dataset_ref {
	uint64_t object;
	struct dsl_dataset_ref *origin;
};

#endif /* _SYS_DSL_DATASET_H */
