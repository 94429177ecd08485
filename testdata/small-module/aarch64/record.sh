#!/bin/sh
# Records what gcc 12 for aarch64 tells of frames.c, and links a module of it.
set -eux
aarch64-linux-gnu-gcc-12 -O2 -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fstack-usage -c frames.c
aarch64-linux-gnu-ld -r -o frames.ko frames.o
rm frames.o
