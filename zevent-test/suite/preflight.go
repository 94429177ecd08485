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

// OpenDevice returns the target behind a device of this machine, once it has taken away what killed
// runs left there. It refuses a machine that has pools of its own, whose unread events the checks
// would clear, unless withPools allows that. Dir receives the files of the checks' own pools.
func OpenDevice(device, dir string, withPools bool) (*DeviceTarget, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("choosing a directory for pools: %w; give one for files of 128 MiB (sparse)", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("choosing a directory for pools: %s is not a directory", dir)
	}
	d, err := zevent.Open(device)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	t := NewDeviceTarget(device, dir)
	if t.removed, err = RemoveStale(device, dir); err != nil {
		return nil, err
	}
	if !withPools {
		if err := refusePools(); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func refusePools() error {
	pools, err := ImportedPools(os.DirFS(poolKstats))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil // no module: opening the device will say so
	case err != nil:
		return err
	case len(pools) > 0:
		return fmt.Errorf("this machine has pools (%s), whose unread events would be cleared; and whose queue is short for a while; run in a guest, or give zevent-test the flag --with-pools twice", strings.Join(pools, ", "))
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
