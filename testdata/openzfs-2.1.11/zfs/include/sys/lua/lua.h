/* SPDX-License-Identifier: MIT */
/* The interpreter that runs channel programs. */
#ifndef _SYS_LUA_LUA_H
#define	_SYS_LUA_LUA_H

#include <sys/lua/luaconf.h>

struct lua_program;

int lua_program_run(struct lua_program *program, lua_conf_number_t limit);

#endif /* _SYS_LUA_LUA_H */
