package suite

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// vdevBytes is twice SPA_MINDEVSIZE (64 MiB), the least that vdev_open takes.
// The files are sparse.
const vdevBytes = 128 << 20

// Marks of the pools that belong to this package: the start of the name, and the property
// comment, which may have 32 characters.
const (
	poolPrefix  = "kmodaudit-"
	poolComment = "kmodaudit zevent-test"
)

// filePool is a pool of the loaded module, a mirror of two files. While it is ours the first
// file is locked (flock), so that a later run can tell it from one that a killed run left.
type filePool struct {
	control  control
	name     string
	files    [2]string
	lock     *os.File
	guid     uint64
	vdev     uint64
	config   []byte // packed, as the module described the pool when it was created
	imported bool
	faults   []uint64 // injected
}

var _ Pool = (*filePool)(nil)

// createFilePool creates a pool of a new name on new files in dir. Nothing
// remains after an error.
func createFilePool(devicePath, dir string) (*filePool, error) {
	p := &filePool{control: control{devicePath}, name: poolPrefix + rand.Text()}
	for i := range p.files {
		p.files[i] = vdevFile(dir, p.name, i)
	}
	err := p.createFiles()
	if err == nil {
		err = p.createPool()
	}
	if err == nil {
		err = p.readConfig()
	}
	if err != nil {
		err = fmt.Errorf("creating pool %s on %s: %w", p.name, p.files[0], err)
		return nil, errors.Join(err, p.Destroy())
	}
	return p, nil
}

func vdevFile(dir, pool string, i int) string {
	return filepath.Join(dir, fmt.Sprintf("%s.%d.vdev", pool, i))
}

func (p *filePool) createFiles() error {
	for i, name := range p.files {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		if i == 0 {
			p.lock = f
			err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		} else {
			defer f.Close()
		}
		if err := errors.Join(err, f.Truncate(vdevBytes)); err != nil {
			return err
		}
	}
	return nil
}

// noCacheFile keeps a pool out of zpool.cache.
var noCacheFile = stringPair("cachefile", "none")

// createPool asks for the least that spa_create takes.
func (p *filePool) createPool() error {
	var leaves []nvlist.List
	for _, file := range p.files {
		leaves = append(leaves, nvlist.New(stringPair("type", "file"), stringPair("path", file)))
	}
	mirror := nvlist.New(stringPair("type", "mirror"), children(leaves...))
	root := nvlist.New(stringPair("type", "root"), children(mirror))
	conf, err := packed(root)
	if err != nil {
		return err
	}
	properties, err := packed(nvlist.New(noCacheFile, stringPair("comment", poolComment)))
	if err != nil {
		return err
	}
	_, err = p.control.do(zfscmd.PoolCreate, zfscmd.Args{Name: p.name, Conf: conf, Src: properties})
	p.imported = err == nil
	return err
}

// readConfig learns what the module calls the pool and its leaf.
func (p *filePool) readConfig() error {
	raw, err := p.control.fetch(zfscmd.PoolStats, zfscmd.Args{Name: p.name})
	if err != nil {
		return err
	}
	config, err := nvlist.Decode(raw)
	if err != nil {
		return fmt.Errorf("%v: %w", zfscmd.PoolStats, err)
	}
	p.config = raw
	p.guid, _ = config.LookupUint64("pool_guid")
	for _, leaf := range leavesOf(config) {
		if path, _ := leaf.LookupString("path"); path == p.files[0] {
			p.vdev, _ = leaf.LookupUint64("guid")
		}
	}
	if p.guid == 0 || p.vdev == 0 {
		return fmt.Errorf("%v: the configuration of the new pool lacks pool_guid or the guid of %s", zfscmd.PoolStats, p.files[0])
	}
	return nil
}

// Name implements [Pool].
func (p *filePool) Name() string { return p.name }

// Vdev implements [Pool].
func (p *filePool) Vdev() uint64 { return p.vdev }

// Do implements [Pool].
func (p *filePool) Do(o Operation) error {
	if err := p.do(o); err != nil {
		return fmt.Errorf("%s of pool %s: %w", o, p.name, err)
	}
	return nil
}

func (p *filePool) do(o Operation) error {
	switch o {
	case Export:
		_, err := p.control.do(zfscmd.PoolExport, zfscmd.Args{Name: p.name})
		p.imported = p.imported && err != nil
		return err
	case Import:
		return p.importAgain()
	case Scrub:
		_, err := p.control.do(zfscmd.PoolScan, zfscmd.Args{Name: p.name, Cookie: zfscmd.ScanScrub})
		return err
	case Clear:
		_, err := p.control.do(zfscmd.Clear, zfscmd.Args{Name: p.name, Cookie: zfscmd.NoRewind})
		return err
	case Post:
		return p.post()
	case Offline:
		return p.setState(zfscmd.StateOffline)
	case Online:
		return p.setState(zfscmd.StateOnline)
	case Degrade:
		return p.setState(zfscmd.StateDegrade)
	case FailReads:
		return p.inject(syscall.EIO)
	case FlipReads:
		return p.inject(syscall.EILSEQ)
	}
	return fmt.Errorf("unknown operation %q", string(o))
}

func (p *filePool) setState(state uint64) error {
	_, err := p.control.do(zfscmd.VdevSetState, zfscmd.Args{Name: p.name, GUID: p.vdev, Cookie: state})
	return err
}

func (p *filePool) importAgain() error {
	properties, err := packed(nvlist.New(noCacheFile))
	if err != nil {
		return err
	}
	_, err = p.control.do(zfscmd.PoolImport, zfscmd.Args{Name: p.name, GUID: p.guid, Conf: p.config, Src: properties})
	p.imported = err == nil
	return err
}

// post sets the property that the pool has already. Where it is the only one, the module posts config_sync before it
// returns, and syncs nothing to the vdevs (zfs_ioc_pool_set_props of module/zfs/zfs_ioctl.c, every release).
func (p *filePool) post() error {
	properties, err := packed(nvlist.New(noCacheFile))
	if err != nil {
		return err
	}
	_, err = p.control.do(zfscmd.PoolSetProps, zfscmd.Args{Name: p.name, Src: properties})
	return err
}

func (p *filePool) inject(errno syscall.Errno) error {
	fault := zfscmd.DeviceFault{Vdev: p.vdev, Errno: errno, IO: zfscmd.Reads}
	reply, err := p.control.do(zfscmd.InjectFault, zfscmd.Args{Name: p.name, Inject: fault})
	if err == nil {
		p.faults = append(p.faults, reply.GUID)
	}
	return err
}

// Destroy implements [Pool]: it ends the faults, destroys the pool and removes its files.
func (p *filePool) Destroy() error {
	var errs []error
	for _, fault := range p.faults {
		_, err := p.control.do(zfscmd.ClearFault, zfscmd.Args{GUID: fault})
		errs = append(errs, err)
	}
	p.faults = nil
	if p.imported {
		if _, err := p.control.do(zfscmd.PoolDestroy, zfscmd.Args{Name: p.name}); err != nil {
			errs = append(errs, fmt.Errorf("destroying pool %s, which remains (zpool destroy %[1]s): %w", p.name, err))
			return errors.Join(errs...) // its files are in use
		}
		p.imported = false
	}
	for _, file := range p.files {
		errs = append(errs, removeIfThere(file))
	}
	if p.lock != nil {
		errs = append(errs, p.lock.Close())
		p.lock = nil
	}
	return errors.Join(errs...)
}

// leavesOf returns the leaves of the first top-level vdev, or that vdev if it is one.
func leavesOf(config nvlist.List) []nvlist.List {
	root, _ := listNamed(config, "vdev_tree")
	top := childrenOf(root)
	if len(top) == 0 {
		return nil
	}
	if leaves := childrenOf(top[0]); len(leaves) > 0 {
		return leaves
	}
	return top[:1]
}

func listNamed(l nvlist.List, name string) (nvlist.List, bool) {
	p, _ := l.Lookup(name)
	list, ok := p.Value.(nvlist.List)
	return list, ok
}

func childrenOf(vdev nvlist.List) []nvlist.List {
	p, _ := vdev.Lookup("children")
	list, _ := p.Value.([]nvlist.List)
	return list
}

func children(vdevs ...nvlist.List) nvlist.Pair {
	return nvlist.Pair{Name: "children", Type: nvlist.NVListArray, Value: vdevs}
}

func stringPair(name, value string) nvlist.Pair {
	return nvlist.Pair{Name: name, Type: nvlist.String, Value: value}
}

func removeIfThere(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
