#!/bin/sh
# Assembles the functions with the entries of Linux 6.1 and of 6.12, each with the ORC of its objtool, links a module, and a kernel without ORC. See
# ../record.sh for what objtools there are.
set -eux
objtool61=$1
objtool612=$2

rm -rf 6.1 6.12
mkdir 6.1 6.12
gcc -c -DFEATURE=.word patched.S -o 6.1/patched.o
gcc -c -DFEATURE=.long patched.S -o 6.12/patched.o
for release in 6.1 6.12; do
	ld -T kernel.lds -o $release/vmlinux $release/patched.o
done
"$objtool61" --orc 6.1/patched.o
SRCARCH=x86 "$objtool612" --orc 6.12/patched.o
for release in 6.1 6.12; do
	ld -r -o $release/patched.ko $release/patched.o
	rm $release/patched.o
done
