/* SPDX-License-Identifier: MIT */
/* Assertions. */
#ifndef _OS_LINUX_SPL_SYS_DEBUG_H
#define	_OS_LINUX_SPL_SYS_DEBUG_H

void spl_debug_failed(const char *what, const char *file, int line);

#define SPL_DEBUG_VERIFY(x) \
	((x) ? (void)0 : spl_debug_failed(#x, __FILE__, __LINE__))

#endif /* _OS_LINUX_SPL_SYS_DEBUG_H */
