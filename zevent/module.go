package zevent

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Module is what the loaded module tells of itself.
type Module struct {
	Version    string // such as 2.1.11-1
	Parameters Parameters
}

// NoLimit is the rate of a class of events that the release does not limit.
const NoLimit = -1

// Parameters are those of the module that govern its event queue, as
// /sys/module/zfs/parameters has them. A rate is in events of one vdev a second.
type Parameters struct {
	QueueEvents       int  // zfs_zevent_len_max; the queue is not shortened when it is lowered
	RetainEvents      int  // zfs_zevent_retain_max, since 2.0; 0 suppresses no duplicates
	RetainSeconds     int  // zfs_zevent_retain_expire_secs, since 2.0
	DelayPerSecond    int  // zfs_slow_io_events_per_second, zfs_delays_per_second in 0.7
	ChecksumPerSecond int  // zfs_checksum_events_per_second, zfs_checksums_per_second in 0.7
	DeadmanPerSecond  int  // zfs_deadman_events_per_second since 2.3, DelayPerSecond in 2.1 and 2.2
	Console           bool // zfs_zevent_console, before 2.1
	ConsoleColumns    int  // zfs_zevent_cols, before 2.1
}

// DefaultParameters are those of a release that nobody changed, on a machine
// of so many possible CPUs. Sources: module/zfs/fm.c, zfs_fm.c and vdev.c, and
// OpenZFS pull requests 7252 (rates of 20 a second), 11786 (deadman limited),
// 11822 (queue of 512) and 16226 (deadman apart).
func DefaultParameters(r Release, cpus int) Parameters {
	const perCPU, leastCPUs = 16, 4 // ERPT_MAX_ERRS
	p := Parameters{
		QueueEvents:       512,
		DelayPerSecond:    20,
		ChecksumPerSecond: 20,
		DeadmanPerSecond:  1,
	}
	switch {
	case !r.AtLeast(0, 7, 0):
		p.DelayPerSecond, p.ChecksumPerSecond = NoLimit, NoLimit
	case !r.AtLeast(0, 8, 0):
		p.DelayPerSecond, p.ChecksumPerSecond = 5, 5
	}
	switch {
	case !r.AtLeast(2, 1, 0):
		p.DeadmanPerSecond = NoLimit
		p.QueueEvents = perCPU * max(cpus, leastCPUs)
		p.ConsoleColumns = 80
	case !r.AtLeast(2, 3, 0):
		p.DeadmanPerSecond = p.DelayPerSecond
	}
	if r.AtLeast(2, 0, 0) {
		p.RetainEvents, p.RetainSeconds = 2000, 900
	}
	return p
}

// ReadModule reads the directory of the loaded module, os.DirFS("/sys/module/zfs").
// Parameters that this release does not have are as in DefaultParameters. An
// error wraps [ErrNoModule] where there is no such directory.
func ReadModule(dir fs.FS) (Module, error) {
	version, err := fs.ReadFile(dir, "version")
	if errors.Is(err, fs.ErrNotExist) {
		return Module{}, fmt.Errorf("reading the version of the zfs module: %w: %w; load it", ErrNoModule, err)
	}
	if err != nil {
		return Module{}, fmt.Errorf("reading the version of the zfs module: %w", err)
	}
	m := Module{Version: strings.TrimSpace(string(version))}
	release, err := ParseRelease(m.Version)
	if err != nil {
		return m, err
	}
	m.Parameters, err = readParameters(dir, release)
	return m, err
}

func readParameters(dir fs.FS, r Release) (Parameters, error) {
	p := DefaultParameters(r, 0)
	var errs []error
	read := func(to *int, names ...string) {
		for _, name := range names {
			v, ok, err := readParameter(dir, name)
			if err != nil {
				errs = append(errs, err)
			} else if ok {
				*to = v
			}
		}
	}
	console := 0
	read(&p.QueueEvents, "zfs_zevent_len_max")
	read(&p.RetainEvents, "zfs_zevent_retain_max")
	read(&p.RetainSeconds, "zfs_zevent_retain_expire_secs")
	read(&p.DelayPerSecond, "zfs_delays_per_second", "zfs_slow_io_events_per_second")
	read(&p.ChecksumPerSecond, "zfs_checksums_per_second", "zfs_checksum_events_per_second")
	if r.AtLeast(2, 1, 0) && !r.AtLeast(2, 3, 0) {
		p.DeadmanPerSecond = p.DelayPerSecond
	}
	read(&p.DeadmanPerSecond, "zfs_deadman_events_per_second")
	read(&console, "zfs_zevent_console")
	read(&p.ConsoleColumns, "zfs_zevent_cols")
	p.Console = console != 0
	return p, errors.Join(errs...)
}

// readParameter reads a number; ok is false if there is no such parameter.
func readParameter(dir fs.FS, name string) (v int, ok bool, err error) {
	text, err := fs.ReadFile(dir, "parameters/"+name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err == nil {
		v, err = strconv.Atoi(string(bytes.TrimSpace(text)))
	}
	if err != nil {
		return 0, false, fmt.Errorf("reading parameter %s of the zfs module: %w", name, err)
	}
	return v, true, nil
}
