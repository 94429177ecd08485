package suite

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// poolKstats is where the module lists its pools.
const poolKstats = "/proc/spl/kstat/zfs"

// OpenDevice returns the target behind a device of this machine. It refuses a machine
// that has pools of its own, whose unread events the checks would clear, unless withPools
// allows that. Dir receives the files of the checks' own pools.
func OpenDevice(device, dir string, withPools bool) (*DeviceTarget, error) {
	if !withPools {
		if err := refusePools(); err != nil {
			return nil, err
		}
	}
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("choosing a directory for pools: %w; give one for files of 128 MiB (sparse)", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("choosing a directory for pools: %s is not a directory", dir)
	}
	return NewDeviceTarget(device, dir), nil
}

func refusePools() error {
	pools, err := ImportedPools(os.DirFS(poolKstats))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil // no module: opening the device will say so
	case err != nil:
		return err
	case len(pools) > 0:
		return fmt.Errorf("this machine has pools (%s), whose unread events would be cleared; run in a guest, or by zevent-test --with-pools", strings.Join(pools, ", "))
	}
	return nil
}

// Preflight tells a machine that cannot be checked from one that fails: it
// opens the queue and makes a call that changes nothing.
func Preflight(t Target) error {
	d, err := t.Open()
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Seek(zevent.SeekStart); errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOTTY) {
		return err
	}
	return nil
}
