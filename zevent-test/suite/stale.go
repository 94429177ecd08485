package suite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// RemoveStale takes away what killed runs left on this machine: pools with both our marks whose
// first file nobody locks, the faults injected into them, and files of such pools in dir; a length of
// the queue that such a run had changed is set back. It returns the names of the pools destroyed.
// What belongs to runs under way stays.
func RemoveStale(devicePath, dir string) (pools []string, err error) {
	c := control{devicePath}
	configs, err := poolConfigs(c)
	if err != nil {
		return nil, fmt.Errorf("looking for pools of killed runs: %w", err)
	}
	var errs []error
	for _, p := range configs.Pairs {
		config, _ := p.Value.(nvlist.List)
		stale := stalePool(c, p.Name, config)
		if stale == nil {
			continue
		}
		if err := stale.destroyStale(); err != nil {
			errs = append(errs, err)
			continue
		}
		pools = append(pools, p.Name)
	}
	errs = append(errs, removeStaleFiles(dir), restoreStaleLimit(dir))
	return pools, errors.Join(errs...)
}

// poolConfigs are the configurations of the imported pools, by name.
func poolConfigs(c control) (nvlist.List, error) {
	raw, err := c.fetch(zfscmd.PoolConfigs, zfscmd.Args{})
	if err != nil {
		return nvlist.List{}, err
	}
	configs, err := nvlist.Decode(raw)
	if err != nil {
		return nvlist.List{}, fmt.Errorf("%v: %w", zfscmd.PoolConfigs, err)
	}
	return configs, nil
}

// stalePool returns a pool that carries our marks and has lost its owner, else nil. All its
// leaves must be files that we would have made, so that nothing else is ever destroyed.
func stalePool(c control, name string, config nvlist.List) *filePool {
	comment, _ := config.LookupString("comment")
	leaves := leavesOf(config)
	p := &filePool{control: c, name: name, imported: true}
	if !strings.HasPrefix(name, poolPrefix) || comment != poolComment || len(leaves) != len(p.files) {
		return nil
	}
	for i, leaf := range leaves {
		path, _ := leaf.LookupString("path")
		if path != vdevFile(filepath.Dir(path), name, i) {
			return nil
		}
		p.files[i] = path
	}
	if !abandoned(p.files[0]) {
		return nil
	}
	return p
}

// abandoned tells whether nobody locks the file, or there is none.
func abandoned(file string) bool {
	f, err := os.Open(file)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}

func (p *filePool) destroyStale() error {
	if err := p.findFaults(); err != nil {
		return fmt.Errorf("looking for faults injected into pool %s of a killed run: %w", p.name, err)
	}
	if err := p.Destroy(); err != nil {
		return fmt.Errorf("removing what a killed run left: %w", err)
	}
	return nil
}

// findFaults learns which faults were injected into the pool: with one, it could not be destroyed.
func (p *filePool) findFaults() error {
	for last := uint64(0); ; {
		reply, err := p.control.do(zfscmd.InjectListNext, zfscmd.Args{GUID: last})
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		if err != nil {
			return err
		}
		if reply.GUID <= last {
			return fmt.Errorf("%v: fault %d follows fault %d", zfscmd.InjectListNext, reply.GUID, last)
		}
		last = reply.GUID
		if reply.Name == p.name {
			p.faults = append(p.faults, last)
		}
	}
}

// removeStaleFiles removes files of pools that were not, or no longer, imported.
func removeStaleFiles(dir string) error {
	firsts, err := filepath.Glob(filepath.Join(globQuoted(dir), filepath.Base(vdevFile("", poolPrefix+"*", 0))))
	if err != nil {
		return err
	}
	var errs []error
	for _, first := range firsts {
		if !abandoned(first) {
			continue
		}
		pool := strings.TrimSuffix(filepath.Base(first), filepath.Base(vdevFile("", "", 0)))
		for i := range (filePool{}).files {
			errs = append(errs, removeIfThere(vdevFile(dir, pool, i)))
		}
	}
	return errors.Join(errs...)
}

// globQuoted makes Glob take a directory as it is.
func globQuoted(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}
