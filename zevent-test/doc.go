/*
zevent-test checks that the event ioctls of /dev/zfs answer.

It makes pools on files, does to them what raises events, injects errors, reads
the events back, and checks sizes, order, payloads, errors, cursors, waiting and
permissions. Each check says what it asserts and where OpenZFS promises it. The
program is one static binary without any need of the ZFS userland, so it also
runs as the only program of a test guest.

Usage:

	zevent-test --emulate [--from FILE.zevents] [flags]
	zevent-test --device /dev/zfs [flags]

Choose one target:

	--emulate         a queue in this program: needs no module and no root
	--from FILE       with --emulate, raise the events of a recording first
	--device PATH     the queue of the loaded module. It is one for the whole
	                  machine: events that zed and others have not read yet
	                  are cleared, and for some checks the queue is made
	                  short (zfs_zevent_len_max). Needs root. Creates and
	                  destroys pools named kmodaudit-... on pairs of files
	                  of 128 MiB (sparse). A signal ends the run and takes
	                  everything away again; what a killed run left, the
	                  next one takes away.
	--dir DIR         with --device, where these files go (the directory for
	                  temporary files)
	--with-pools      with --device, said twice, run also where pools are
	                  imported

Flags:

	--run REGEX       only the checks whose name it finds
	--list            name the checks and what they assert, run none
	-v                with the text format, print every pair of each event
	--format FORMAT   text, tap, json or junit (text). json is JSON lines,
	                  each with a "type": one target, then a result for each
	                  check with the seconds that it took and the events
	                  delivered to it, and one summary.

With --version alone it prints which build it is.

Exit status: 0 all checks passed or were skipped, 1 a check failed, 2 the
checks could not run.

Example:

	zevent-test --emulate --run 'open|seek' --format tap
*/
package main
