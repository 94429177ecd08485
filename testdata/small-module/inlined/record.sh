#!/bin/sh
# Records what gcc tells of parent.c, with debug information.
set -eux
gcc -O2 -fno-PIE -mcmodel=kernel -mno-red-zone -mpreferred-stack-boundary=3 -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fcf-protection=none -mno-sse -mno-mmx -mno-80387 -g -fdebug-prefix-map="$PWD"=. -fstack-usage -fcallgraph-info=su,da -c parent.c
