#!/bin/sh
# Records what gcc 12 for aarch64 tells of frames.c, and links a module of it; and traced.c with debug information.
set -eux
flags='-O2 -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables'
aarch64-linux-gnu-gcc-12 $flags -fstack-usage -c frames.c
aarch64-linux-gnu-ld -r -o frames.ko frames.o
rm frames.o
aarch64-linux-gnu-gcc-12 $flags -fpatchable-function-entry=2 -g -fdebug-prefix-map="$PWD"=. -c traced.c
