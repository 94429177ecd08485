#!/bin/sh
# Records what compilers and objtool tell of this module. Three objtools are needed, before Linux 6.4, before 7.2 and since:
# Debian has them in linux-kbuild-6.1, linux-kbuild-6.12 and linux-kbuild-7.3.4+deb13, as tools/objtool/objtool. Where one is
# of a newer distribution, give a script that runs it in a chroot.
set -eux
objtool61=$1
objtool612=$2
objtool73=$3
flags='-O2 -fno-PIE -mcmodel=kernel -mno-red-zone -mpreferred-stack-boundary=3 -fno-stack-protector
	-fno-asynchronous-unwind-tables -fcf-protection=none -mno-sse -mno-mmx -mno-80387'

rm -rf gcc since-6.4 since-7.2 clang
mkdir gcc since-6.4 since-7.2 clang
for unit in frames other; do
	gcc $flags -fstack-usage -fcallgraph-info=su,da -c $unit.c -o gcc/$unit.o
	clang -O2 -fno-PIE -mcmodel=kernel -mno-red-zone -mno-sse -mno-mmx -fno-asynchronous-unwind-tables \
		-fstack-usage -fstack-size-section -c $unit.c -o clang/$unit.o
done
gcc -c assembly.S -o gcc/assembly.o
gcc -c unchecked.S -o gcc/unchecked.o
for object in frames other assembly; do
	cp gcc/$object.o since-6.4/
	cp gcc/$object.o since-7.2/
	"$objtool61" --orc gcc/$object.o
	SRCARCH=x86 "$objtool612" --orc since-6.4/$object.o
	SRCARCH=x86 "$objtool73" --orc since-7.2/$object.o
done
for dir in gcc since-6.4 since-7.2; do
	[ $dir = gcc ] || cp gcc/unchecked.o $dir/
	ld -r -o $dir/small.ko $dir/frames.o $dir/other.o $dir/assembly.o $dir/unchecked.o
done
rm gcc/*.o since-6.4/*.o since-7.2/*.o
strip --strip-debug since-6.4/small.ko since-7.2/small.ko
ld -r -o clang/small.ko clang/frames.o clang/other.o
