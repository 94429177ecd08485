#!/bin/sh
# Records what compilers and objtool tell of this module. Two objtools are needed, before and since Linux 6.4:
# Debian has them in linux-kbuild-6.1 and linux-kbuild-6.12, as tools/objtool/objtool.
set -eux
objtool61=$1
objtool612=$2
flags='-O2 -fno-PIE -mcmodel=kernel -mno-red-zone -mpreferred-stack-boundary=3 -fno-stack-protector
	-fno-asynchronous-unwind-tables -fcf-protection=none -mno-sse -mno-mmx -mno-80387'

rm -rf gcc since-6.4 clang
mkdir gcc since-6.4 clang
for unit in frames other; do
	gcc $flags -fstack-usage -fcallgraph-info=su,da -c $unit.c -o gcc/$unit.o
	clang -O2 -fno-PIE -mcmodel=kernel -mno-red-zone -mno-sse -mno-mmx -fno-asynchronous-unwind-tables \
		-fstack-usage -fstack-size-section -c $unit.c -o clang/$unit.o
done
gcc -c assembly.S -o gcc/assembly.o
gcc -c unchecked.S -o gcc/unchecked.o
for object in frames other assembly; do
	cp gcc/$object.o since-6.4/
	"$objtool61" --orc gcc/$object.o
	SRCARCH=x86 "$objtool612" --orc since-6.4/$object.o
done
cp gcc/unchecked.o since-6.4/
for dir in gcc since-6.4; do
	ld -r -o $dir/small.ko $dir/frames.o $dir/other.o $dir/assembly.o $dir/unchecked.o
	rm $dir/*.o
done
strip --strip-debug since-6.4/small.ko
ld -r -o clang/small.ko clang/frames.o clang/other.o
