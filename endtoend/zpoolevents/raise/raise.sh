# Brings the loaded module to post every class of event that can be had from pools on files. Each step says which
# classes it is for; what they are is in the table of classes.go. zpool, zfs and zinject are those of the module's release, the
# others busybox; "raise ioctl" does what zpool refuses to. A command that fails is said and no more: some are to fail, and what
# was not posted is found out in the end.

set -u
pools=/p # files of vdevs
away=$pools/away # where zpool import does not look
parameters=/sys/module/zfs/parameters

step() { echo "--- $*"; }
try() { "$@" </dev/null 2>&1 || echo "    status $? of: $*"; }
parameter() { echo "$2" > $parameters/$1 || echo "    this release has no parameter $1"; }
vdev() { # NAME...
	for name; do rm -f $pools/$name; truncate -s 96M $pools/$name; done
}
settle() { try zpool sync $1; try zpool wait -t resilver $1; }
content() { cat /bin/busybox /lib/libcrypto.so.*; } # some 6 MiB

mkdir $away
parameter zfs_zevent_len_max 100000
parameter zfs_free_min_time_ms 100 # of each transaction group, for pools that are destroyed
zpool events -c

step 'pool_create history_event config_sync vdev_add'
vdev a b c d e log spare
try zpool create -O mountpoint=/m/tank tank mirror $pools/a $pools/b
try zfs create -o compression=off tank/fs
content > /m/tank/fs/file
try zfs snapshot tank/fs@one
try zfs set "user:odd=$(printf 'a\033[2J\nb\302\233\377 é')" tank/fs
try zpool set 'comment=x y' tank
try zpool add tank spare $pools/spare
try zpool add tank log $pools/log
try zpool sync tank

step 'statechange vdev_online resilver_start resilver_finish'
try zpool offline tank $pools/b
try zpool online tank $pools/b
settle tank

step 'vdev_attach bootfs_vdev_attach vdev_remove vdev_spare vdev_remove_aux vdev_remove_dev'
try zpool attach -w tank $pools/a $pools/c
try zpool set bootfs=tank/fs tank
try zpool attach -s -w tank $pools/a $pools/d
try zpool detach tank $pools/d
try zpool detach tank $pools/c
vdev c d
try zpool replace -w tank $pools/b $pools/c
guid() { zpool status -g $1 | awk '$1 ~ /^[0-9]+$/ {print $1}' | sed -n ${2}p; } # POOL LINE: 1 is the mirror, 2 and 3 its legs
try raise ioctl attach tank $(guid tank 3) $pools/spare
settle tank
try zpool detach tank $pools/spare
try zpool remove tank $pools/spare
try zpool remove tank $pools/log

step 'scrub_start scrub_paused scrub_resume scrub_abort scrub_finish'
parameter zfs_scan_suspend_progress 1
try zpool scrub tank
try zpool scrub -p tank
try zpool scrub tank
try zpool scrub -s tank
parameter zfs_scan_suspend_progress 0
try zpool scrub -w tank

step 'trim_start trim_suspend trim_resume trim_cancel trim_finish'
extent=$(cat $parameters/zfs_trim_extent_bytes_max) # between two of which the rate is looked at
parameter zfs_trim_extent_bytes_max 1048576
try zpool trim -r 1M tank
try zpool sync tank
try zpool trim -s tank
try zpool sync tank
try zpool trim -r 1M tank
try zpool sync tank
try zpool trim -c tank
parameter zfs_trim_extent_bytes_max $extent
try zpool trim -w tank

step 'pool_reguid vdev_clear'
try zpool reguid tank
try zpool clear tank

step 'checksum, of damage on the disk'
dd if=/dev/zero of=$pools/a bs=1M seek=5 count=30 conv=notrunc 2>/dev/null
try zpool scrub -w tank
try zpool clear tank

step 'io checksum'
try zinject -d $pools/c -e io -T read -f 30 tank
try zpool scrub -w tank
try zinject -c all
try zinject -d $pools/c -e corrupt -T read -f 30 tank
try zpool scrub -w tank
try zinject -c all
try zpool clear tank

step 'delay'
slow=$(cat $parameters/zio_slow_io_ms)
parameter zfs_slow_io_events_per_second 1
parameter zio_slow_io_ms 20
try zinject -d $pools/a -D 60:4 tank
date > /m/tank/fs/date
try zpool sync tank
try zinject -c all
parameter zio_slow_io_ms $slow

step 'deadman'
try zpool create -O mountpoint=/m/dead dead $pools/e
check=$(cat $parameters/zfs_deadman_checktime_ms)
zio=$(cat $parameters/zfs_deadman_ziotime_ms)
sync=$(cat $parameters/zfs_deadman_synctime_ms)
parameter zfs_deadman_checktime_ms 200
parameter zfs_deadman_ziotime_ms 150
parameter zfs_deadman_synctime_ms 150
try zinject -d $pools/e -D 900:8 dead
date > /m/dead/date
try zpool sync dead
try zinject -c all
parameter zfs_deadman_checktime_ms $check
parameter zfs_deadman_ziotime_ms $zio
parameter zfs_deadman_synctime_ms $sync
try zpool destroy dead

step 'authentication data'
dd if=/bin/busybox of=/key bs=32 count=1 2>/dev/null
try zpool create -O mountpoint=/m/enc enc $pools/e
try zfs create -o encryption=on -o keyformat=raw -o keylocation=file:///key enc/secret
try zfs create enc/open
head -c 300000 /bin/busybox > /m/enc/secret/file
head -c 300000 /bin/busybox > /m/enc/open/file
try zpool sync enc
misread() { # DATASET FAULT
	try zfs unmount enc/$1
	try zfs mount enc/$1
	try zinject -a -t data -e $2 -f 100 /m/enc/$1/file
	try cat /m/enc/$1/file >/dev/null
	try zinject -c all
}
misread secret decrypt
misread open checksum
misread open io

step 'errorscrub_start errorscrub_paused errorscrub_resume errorscrub_finish errorscrub_abort'
try zpool sync enc
parameter zfs_scan_suspend_progress 1
if zpool scrub -e enc 2>&1 | grep 'invalid option'; then
	echo '    this release has none'
else
	try zpool scrub -p enc
	try zpool scrub -e enc
	parameter zfs_scan_suspend_progress 0
	try zpool sync enc
	try zpool sync enc
	misread open io # since no error is left
	try zpool sync enc
	parameter zfs_scan_suspend_progress 1
	try zpool scrub -e enc
	try zpool scrub -s enc
fi
parameter zfs_scan_suspend_progress 0

step 'dio_verify_wr dio_verify_rd'
if [ -e $parameters/zfs_vdev_direct_write_verify ]; then
	parameter zfs_vdev_direct_write_verify 1
	try zfs create -o compression=off enc/direct
	try raise scribble /m/enc/direct/file
	try zpool sync enc
else
	echo '    this release has no Direct I/O'
fi
try zpool destroy enc

step 'sitout'
if [ -e $parameters/vdev_raidz_outlier_insensitivity ]; then
	# Children are held against their upper quartile. Of five, the fewest that are looked at, the slow one is part of it.
	legs='q1 q2 q3 q4 q5 q6 q7 q8'
	vdev $legs
	(cd $pools && try zpool create -O mountpoint=/m/slow -O primarycache=metadata slow raidz $(realpath $legs))
	content > /m/slow/file
	try zpool sync slow
	parameter vdev_raidz_outlier_check_interval_ms 200
	parameter vdev_raidz_outlier_insensitivity 5
	try zpool set autosit=on slow raidz1-0
	try zinject -d $pools/q1 -D 100:4 slow
	for _ in $(seq 20); do
		cat /m/slow/file >/dev/null
		zpool events -H slow | grep -q sitout && break
	done
	try zinject -c all
	try zpool destroy slow
	rm $pools/q?
else
	echo '    this release has none'
fi

step 'probe_failure statechange'
try zinject -d $pools/c -L pad2 tank
try zinject -d $pools/c -e io -T write -f 100 tank
date > /m/tank/fs/date
try zpool sync tank
sleep 1
try zinject -c all
try zpool clear tank
settle tank
for state in degrade fault; do
	try zinject -d $pools/c -A $state tank
	try zpool clear tank
done
settle tank

step 'io_failure'
vdev e
try zpool create -o failmode=wait -O mountpoint=/m/suspended suspended $pools/e
try zinject -d $pools/e -L pad2 suspended
try zinject -d $pools/e -e io -T write -f 100 suspended
(date > /m/suspended/date; zpool sync suspended) >/dev/null 2>&1 & # blocks, and date too if an earlier write has failed
for second in 1 2 3 4 5 6 7 8 9 10; do
	zpool events -H suspended | grep io_failure && break
	sleep 1
done
try zinject -c all
try zpool clear suspended
wait
try zpool destroy suspended

# back: undoes what kept the leg c from being opened.
back() {
	mv $away/c $pools/c
	try zpool online tank $pools/c
	settle tank
}

step 'vdev.open_failed'
try zpool offline tank $pools/c
mv $pools/c $away/c
try zpool online tank $pools/c
back

step 'vdev.too_small'
try zpool offline tank $pools/c
cp $pools/c $away/c
truncate -s 1M $pools/c
try zpool online tank $pools/c
back

step 'vdev.bad_label'
try zpool offline tank $pools/c
mv $pools/c $away/c
vdev c
try zpool online tank $pools/c
back

step 'vdev.corrupt_data'
vdev other
try zpool create -O mountpoint=none other $pools/other
try zpool export other
try zpool offline tank $pools/c
mv $pools/c $away/c
mv $pools/other $pools/c
try zpool online tank $pools/c
back

step 'vdev.no_replicas'
vdev e log
try zpool create -o failmode=continue -O mountpoint=none both mirror $pools/e $pools/log
try zinject -d $pools/e -e nxio both
try zinject -d $pools/log -e nxio both
try zpool reopen both
try zinject -c all
try zpool clear both
try zpool destroy -f both

step 'vdev.unknown'
vdev s1 s2
try zpool create -O mountpoint=none halves mirror $pools/s1 $pools/s2
try zpool export halves
cp $pools/s1 $pools/s2 $away
try zpool import -d $pools halves
try zpool split halves half $pools/s2
mv $pools/s2 $away/s2.split
try zpool export halves
mv $away/s1 $away/s2 $pools
try zpool import -d $pools halves
try zpool offline halves $pools/s2
mv $away/s2.split $pools/s2
try zpool online halves $pools/s2
try zpool destroy halves
rm -f $pools/s1 $pools/s2

step 'pool_export pool_import autoreplace vdev_check'
try zpool set autoreplace=on tank
try zpool export tank
mv $pools/c $away/c
try zpool import -d $pools tank
sleep 1
back

step 'vdev_autoexpand'
vdev x
try raise ioctl create x $pools/x phys_path pci-0:0
try zpool set autoexpand=on x
try zpool sync x
try zpool online -e x $pools/x

step 'removed'
try zinject -d $pools/c -L pad2 tank # since 2.2, a vdev is only taken for removed if its probe fails
try zinject -d $pools/c -e io -f 100 tank
try raise ioctl remove tank $(guid tank 3)
try zpool sync tank
sleep 1
try zinject -c all
try zpool online tank $(guid tank 3)
settle tank

step 'vdev.open_failed vdev.too_small vdev.bad_ashift'
truncate -s 1M $pools/tiny
vdev y
try raise ioctl create tiny $pools/tiny
try raise ioctl create none $pools/none
try raise ioctl create wide $pools/y ashift 20

step 'config_cache_write'
mkdir /cache
try zpool set cachefile=/cache/zpool.cache x
rm -r /cache
try zpool set comment=again x
try zpool add x $pools/y
try zpool sync x
sleep 1
try zpool set cachefile=none x

step 'zpool'
vdev n1 n2
try zpool create -O mountpoint=none -o cachefile=/zpool.cache lost $pools/n1 $pools/n2
cp /zpool.cache /kept.cache
try zpool export lost
rm $pools/n2
try zpool import -c /kept.cache lost

step 'log_replay'
vdev r log
try zpool create -O mountpoint=/m/replay replay $pools/r log $pools/log
dd if=/bin/busybox of=/m/replay/before bs=4k count=1 conv=fsync 2>/dev/null # a log whose first block the pool knows
try zpool sync replay
try zpool freeze replay # so that what follows is in the log alone
dd if=/bin/busybox of=/m/replay/after bs=4k count=16 conv=fsync 2>/dev/null
try zpool export replay
try raise poison $pools/log
try zpool import -d $pools replay
rm -f $pools/r $pools/log

step 'pool_destroy'
try zpool export -a
try zpool import -d $pools tank
try zpool export tank
try zpool import -d $pools tank
try zpool destroy tank
