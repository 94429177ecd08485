/* SPDX-License-Identifier: MIT */
/* How the channel-program interpreter is configured. */
#ifndef _SYS_LUA_LUACONF_H
#define	_SYS_LUA_LUACONF_H

#include <os/linux/spl/sys/types.h>

#define LUA_CONF_C_STACK 20

typedef int64_t lua_conf_number_t;

#endif /* _SYS_LUA_LUACONF_H */
