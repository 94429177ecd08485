package suite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// expected is an event that an operation has posted.
type expected struct {
	class string
	leaf  bool              // it is of the leaf that the operation acted upon
	pairs map[string]uint64 // further numbers in it
}

func (x expected) String() string {
	s := x.class
	for _, name := range slices.Sorted(maps.Keys(x.pairs)) {
		s += fmt.Sprintf(" with %s %d", name, x.pairs[name])
	}
	return s
}

func (x expected) matches(e zevent.Event, pool Pool) bool {
	if e.Class != x.class || e.Pool != pool.Name() {
		return false
	}
	if guid, _ := number(e, "vdev_guid"); x.leaf && guid != pool.Vdev() {
		return false
	}
	for name, want := range x.pairs {
		if got, ok := number(e, name); !ok || got != want {
			return false
		}
	}
	return true
}

// number returns an integer of the event, whatever its width in this release.
func number(e zevent.Event, name string) (uint64, bool) {
	p, _ := e.Pairs.Lookup(name)
	switch v := p.Value.(type) {
	case uint64:
		return v, true
	case int32:
		return uint64(v), true
	case uint32:
		return uint64(v), true
	}
	return 0, false
}

// step is an operation with what it posts, in the order of the queue; other
// events may come in between.
type step struct {
	do   Operation
	want []expected
}

// Values of pairs.
const (
	stateOffline  = 2  // VDEV_STATE_OFFLINE
	stateDegraded = 6  // VDEV_STATE_DEGRADED
	stateHealthy  = 7  // VDEV_STATE_HEALTHY
	errnoIO       = 5  // EIO
	errnoChecksum = 52 // ECKSUM, which is EBADE on Linux
)

var (
	created = []expected{{class: "sysevent.fs.zfs.pool_create"}, {class: configSyncClass}}

	destroyed = []expected{{class: "sysevent.fs.zfs.pool_destroy"}, {class: configSyncClass}}

	exportSteps = []step{
		{Export, []expected{{class: "sysevent.fs.zfs.pool_export"}}},
		{Import, []expected{{class: configSyncClass}, {class: "sysevent.fs.zfs.pool_import"}}},
	}

	scrubStep = step{Scrub, []expected{{class: "sysevent.fs.zfs.scrub_start"}, {class: "sysevent.fs.zfs.scrub_finish"}}}

	offlineSteps = []step{
		{Offline, []expected{
			{"resource.fs.zfs.statechange", true, map[string]uint64{"vdev_state": stateOffline, "vdev_laststate": stateHealthy}},
			{class: configSyncClass},
		}},
		{Online, []expected{
			{"resource.fs.zfs.statechange", true, map[string]uint64{"vdev_state": stateHealthy, "vdev_laststate": stateOffline}},
			{"sysevent.fs.zfs.vdev_online", true, map[string]uint64{"vdev_state": stateHealthy}},
			{class: configSyncClass},
		}},
	}

	clearSteps = []step{
		{Degrade, []expected{
			{"resource.fs.zfs.statechange", true, map[string]uint64{"vdev_state": stateDegraded}},
			{class: configSyncClass},
		}},
		{Clear, []expected{
			{"resource.fs.zfs.statechange", true, map[string]uint64{"vdev_state": stateHealthy}},
			{"sysevent.fs.zfs.vdev_clear", true, nil},
			{class: configSyncClass},
		}},
	}

	failSteps = []step{
		{do: FailReads},
		{Scrub, []expected{
			{class: "sysevent.fs.zfs.scrub_start"},
			{"ereport.fs.zfs.io", true, map[string]uint64{"zio_err": errnoIO}},
			{class: "sysevent.fs.zfs.scrub_finish"},
		}},
	}

	flipSteps = []step{
		{do: FlipReads},
		{Scrub, []expected{
			{class: "sysevent.fs.zfs.scrub_start"},
			{"ereport.fs.zfs.checksum", true, map[string]uint64{"zio_err": errnoChecksum}},
			{class: "sysevent.fs.zfs.scrub_finish"},
		}},
	}
)

var poolCreateCheck = Check{
	Name:    "pool-create-destroy",
	Asserts: "Creating a pool posts pool_create and config_sync, destroying it pool_destroy and config_sync.",
	Source:  "module/zfs/spa.c (spa_create, spa_export_common), spa_config.c (spa_write_cachefile), since 0.7",
	run: func(p *probe) error {
		pool, err := p.withPool(nil)
		if err != nil {
			return err
		}
		if err := pool.pool.Destroy(); err != nil {
			return err
		}
		return pool.await("destroy", destroyed)
	},
}

var poolExportCheck = poolCheck("pool-export-import",
	"Exporting a pool posts pool_export, importing it config_sync and pool_import.",
	"module/zfs/spa.c (spa_export_common, spa_import), since 0.7", exportSteps)

var poolScrubCheck = poolCheck("pool-scrub",
	"A scrub posts scrub_start, and scrub_finish when it is done.",
	"module/zfs/dsl_scan.c (dsl_scan_setup_sync, dsl_scan_done), since 0.7", []step{scrubStep})

var poolOfflineCheck = poolCheck("pool-offline-online",
	"Taking a leaf offline posts statechange to OFFLINE, taking it back statechange to ONLINE and vdev_online, both with the leaf's GUID; each is followed by config_sync.",
	"module/zfs/vdev.c (vdev_set_state, vdev_online), since 0.7", offlineSteps)

var poolClearCheck = poolCheck("pool-clear",
	"Degrading a leaf posts statechange to DEGRADED, clearing its errors statechange to ONLINE and vdev_clear.",
	"module/zfs/vdev.c (vdev_degrade, vdev_clear), since 0.7", clearSteps)

var injectIOCheck = damagingCheck("inject-io",
	"Where each read of a leaf fails by injection, a scrub posts ereport io with the leaf's GUID and EIO.",
	"module/zfs/zio_inject.c (zio_handle_device_injection), zio.c (zio_vdev_io_assess, zio_done), since 0.6.3", failSteps)

var injectChecksumCheck = damagingCheck("inject-checksum",
	"Where a bit of each read of a leaf is flipped by injection, a scrub posts ereport checksum with the leaf's GUID and ECKSUM.",
	"module/zfs/zio_inject.c (zio_handle_device_injections, EILSEQ), zfs_fm.c (zfs_ereport_start_checksum), since 0.8", flipSteps)

// poolCheck takes the standing pool through steps that leave it as it was.
func poolCheck(name, asserts, source string, steps []step) Check {
	return Check{Name: name, Asserts: asserts, Source: source, run: func(p *probe) error {
		_, err := p.withStandingPool(steps)
		return err
	}}
}

// damagingCheck takes a pool through steps that leave it, or what the module remembers of it, changed.
func damagingCheck(name, asserts, source string, steps []step) Check {
	return Check{Name: name, Asserts: asserts, Source: source, run: func(p *probe) error {
		_, err := p.withPool(steps)
		return err
	}}
}

// watchedPool is a pool with a reader that is before its first event or behind
// those that steps awaited.
type watchedPool struct {
	probe  *probe
	pool   Pool
	client *zevent.Client
}

// withPool clears the queue, makes a pool, and takes it through the steps.
func (p *probe) withPool(steps []step) (*watchedPool, error) {
	pools, ok := p.target.(Pools)
	if !ok {
		return nil, &skipError{"this target makes no pools"}
	}
	d, err := p.open()
	if err != nil {
		return nil, err
	}
	if _, err := d.Clear(); err != nil {
		return nil, fmt.Errorf("CLEAR: %w", err)
	}
	pool, err := pools.CreatePool(p.ctx)
	if err != nil {
		return nil, err
	}
	p.pools = append(p.pools, pool)
	w := &watchedPool{p, pool, zevent.NewClient(d)}
	if err := w.await("create", created); err != nil {
		return nil, err
	}
	return w, w.take(steps)
}

// withStandingPool clears the queue and takes the standing pool through the steps.
func (p *probe) withStandingPool(steps []step) (*watchedPool, error) {
	pools, ok := p.target.(Pools)
	if !ok {
		return nil, &skipError{"this target makes no pools"}
	}
	var err error
	if p.standing, err = pools.StandingPool(p.ctx); err != nil {
		return nil, err
	}
	d, err := p.open()
	if err != nil {
		return nil, err
	}
	if _, err := d.Clear(); err != nil {
		return nil, fmt.Errorf("CLEAR: %w", err)
	}
	w := &watchedPool{p, p.standing, zevent.NewClient(d)}
	return w, w.take(steps)
}

func (w *watchedPool) take(steps []step) error {
	for _, s := range steps {
		if err := w.probe.ctx.Err(); err != nil {
			return err
		}
		if err := w.pool.Do(s.do); err != nil {
			return err
		}
		if err := w.await(string(s.do), s.want); err != nil {
			return err
		}
	}
	return nil
}

var errPatience = errors.New("time is up")

// await reads until the wanted events have come, in their order. The probe
// keeps what was read.
func (w *watchedPool) await(operation string, want []expected) error {
	ctx, cancel := context.WithTimeoutCause(w.probe.ctx, patience, errPatience)
	defer cancel()
	var came []zevent.Event
	for len(want) > 0 {
		e, err := w.client.Wait(ctx)
		switch {
		case errors.Is(err, errPatience):
			return fmt.Errorf("%s: no event %v came in its place within %v, but %d others: %s", operation, want[0], patience, len(came), classes(came))
		case err != nil:
			return fmt.Errorf("%s: waiting for the event %v: %w", operation, want[0], err)
		}
		w.probe.events = append(w.probe.events, e)
		came = append(came, e)
		if want[0].matches(e, w.pool) {
			want = want[1:]
		}
		if len(came) >= maxDelivered {
			return fmt.Errorf("%s: NEXT never waits: %d events came, but no %v: %s", operation, len(came), want[0], classes(came))
		}
	}
	return nil
}
