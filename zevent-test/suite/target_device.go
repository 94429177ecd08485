package suite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/differential"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// configSyncClass is posted by spa_write_cachefile; ESC_ZFS_CONFIG_SYNC, every release.
const configSyncClass = "sysevent.fs.zfs.config_sync"

// moduleDir is where the loaded module tells of itself.
const moduleDir = "/sys/module/zfs"

// clockSlack is how far the time of an event may lie outside that of the
// ioctl: the module reads a coarse clock, and the clock may be set meanwhile.
const clockSlack = 2 * time.Second

// DeviceTarget is the queue of the loaded module.
type DeviceTarget struct {
	// Helper is the file of a program that calls the function Helper when its argument is
	// HelperArgument. Empty, the check that needs one is skipped.
	Helper string

	devicePath string
	dir        string
	removed    []string    // pools of killed runs
	standing   *filePool   // nil before one is needed
	saved      *savedLimit // while the queue's length is changed
}

// NewDeviceTarget checks the module behind devicePath, normally /dev/zfs.
// Pools are made on files in dir, an absolute path.
func NewDeviceTarget(devicePath, dir string) *DeviceTarget {
	return &DeviceTarget{devicePath: devicePath, dir: dir}
}

// Open implements [Target].
func (t *DeviceTarget) Open() (zevent.Device, error) { return zevent.Open(t.devicePath) }

// Describe implements [Target].
func (t *DeviceTarget) Describe() string {
	s := fmt.Sprintf("%s, OpenZFS %s, Linux %s", t.devicePath,
		firstLine(moduleDir+"/version"), firstLine("/proc/sys/kernel/osrelease"))
	if len(t.removed) > 0 {
		s += ", where a killed run had left " + strings.Join(t.removed, ", ")
	}
	return s
}

func firstLine(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return "of unknown version"
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

// Raise implements [Target] by the standing pool.
func (t *DeviceTarget) Raise(ctx context.Context) (Raised, error) {
	before := time.Now()
	pool, err := t.StandingPool(ctx)
	if err != nil {
		return Raised{}, err
	}
	err = pool.Do(Post)
	return Raised{
		Class:     configSyncClass,
		Pool:      pool.Name(),
		NotBefore: before.Add(-clockSlack),
		NotAfter:  time.Now().Add(clockSlack),
	}, err
}

// CreatePool implements [Pools].
func (t *DeviceTarget) CreatePool(ctx context.Context) (Pool, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return createFilePool(t.devicePath, t.dir)
}

// StandingPool implements [Pools].
func (t *DeviceTarget) StandingPool(ctx context.Context) (Pool, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if t.standing == nil || !t.standing.imported {
		pool, err := createFilePool(t.devicePath, t.dir)
		if err != nil {
			return nil, err
		}
		t.standing = pool
	}
	return t.standing, nil
}

// Close implements [Target]: it destroys the standing pool.
func (t *DeviceTarget) Close() error {
	if t.standing == nil {
		return nil
	}
	return t.standing.Destroy()
}

// ProbeCleanupFD implements [CleanupFDProber].
func (t *DeviceTarget) ProbeCleanupFD() error {
	device, err := os.OpenFile(t.devicePath, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer device.Close()
	other, end, err := os.Pipe()
	if err != nil {
		return err
	}
	defer other.Close()
	defer end.Close()
	_, err = zfscmd.Do(int(device.Fd()), zfscmd.EventsNext, zfscmd.Args{
		GUID:      uint64(zevent.Nonblock),
		CleanupFD: int(other.Fd()),
		Dst:       make([]byte, zevent.MaxEventBytes),
	})
	return err
}

// unusedIoctl is behind the last number that any release has given out, of which there are
// 128 for all systems and 128 for each.
const unusedIoctl zfscmd.Command = 0x5aff

// ProbeUnknownIoctl implements [UnknownIoctl].
func (t *DeviceTarget) ProbeUnknownIoctl() error {
	_, err := control{t.devicePath}.do(unusedIoctl, zfscmd.Args{})
	return err
}

// Release implements [UnknownIoctl] and [Restricted].
func (t *DeviceTarget) Release() (zevent.Release, error) {
	module, err := zevent.ReadModule(os.DirFS(moduleDir))
	if err != nil {
		return zevent.Release{}, err
	}
	return zevent.ParseRelease(module.Version)
}

// Compare implements [Compared].
func (t *DeviceTarget) Compare(ctx context.Context, seed uint64, operations int, post func(context.Context) error) (*differential.Difference, error) {
	emulated := differential.Emulator{Queue: emulator.New(emulator.DefaultMaxEvents, time.Now)}
	return differential.Run(ctx, seed, operations, comparedQueue{t, post}, emulated)
}

// ImportedPools names the pools of this machine. kstat is the directory
// /proc/spl/kstat/zfs, where the module keeps one directory a pool with a file
// named state in it (since 0.8). It is an error if kstat cannot be read.
func ImportedPools(kstat fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(kstat, ".")
	if err != nil {
		return nil, fmt.Errorf("listing pools: %w", err)
	}
	var pools []string
	for _, e := range entries {
		_, err := fs.Stat(kstat, path.Join(e.Name(), "state"))
		switch {
		case err == nil:
			pools = append(pools, e.Name())
		case !errors.Is(err, fs.ErrNotExist) && e.IsDir():
			return nil, fmt.Errorf("listing pools: %w", err)
		}
	}
	return pools, nil
}
