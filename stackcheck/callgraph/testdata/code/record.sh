#!/bin/sh
# Compiles code.c as kernels are: with retpolines and with indirect branches, and for aarch64. What objtool tells of the
# stack is in testdata/small-module.
set -eux
flags='-O2 -fno-PIE -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -g0'
gcc $flags -mcmodel=kernel -mno-red-zone -fcf-protection=none -mindirect-branch=thunk-extern -mindirect-branch-register -fno-jump-tables \
	-mfunction-return=thunk-extern -c code.c -o retpoline.o
gcc $flags -mcmodel=kernel -mno-red-zone -fcf-protection=none -c code.c -o plain.o
clang $flags --target=aarch64-linux-gnu -c code.c -o aarch64.o
ld -Ttext 0xffffffff81000000 -e start --defsym sink=0xffffffff81000000 --unresolved-symbols=ignore-all plain.o -o linked
