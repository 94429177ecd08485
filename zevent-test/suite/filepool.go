package suite

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
	"github.com/kmodaudit/kmodaudit/zevent/zfscmd"
)

// vdevBytes is twice SPA_MINDEVSIZE (64 MiB), the least that vdev_open takes.
// The file is sparse.
const vdevBytes = 128 << 20

// filePool is a pool of one vdev, a file.
type filePool struct {
	devicePath string
	name       string
	file       string
}

// createFilePool creates a pool of a new name on a new file in dir. Nothing
// remains after an error.
func createFilePool(devicePath, dir string) (*filePool, error) {
	p := &filePool{devicePath: devicePath, name: "kmodaudit-" + rand.Text()}
	p.file = filepath.Join(dir, p.name+".vdev")
	err := p.createFile()
	if err == nil {
		err = p.createPool()
	}
	if err != nil {
		err = fmt.Errorf("creating pool %s on %s: %w", p.name, p.file, err)
		return nil, errors.Join(err, removeIfThere(p.file))
	}
	return p, nil
}

// destroy destroys the pool and removes its file.
func (p *filePool) destroy() error {
	err := p.ioctl(zfscmd.PoolDestroy, zfscmd.Args{Name: p.name})
	if err != nil {
		err = fmt.Errorf("destroying pool %s, which remains (zpool destroy %[1]s): %w", p.name, err)
	}
	return errors.Join(err, removeIfThere(p.file))
}

func (p *filePool) createFile() error {
	f, err := os.OpenFile(p.file, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(vdevBytes), f.Close())
}

// createPool asks for the least that spa_create takes: a root vdev with one
// child. The property keeps the pool out of zpool.cache.
func (p *filePool) createPool() error {
	file := nvlist.New(
		stringPair("type", "file"),
		stringPair("path", p.file),
	)
	root := nvlist.New(
		stringPair("type", "root"),
		nvlist.Pair{Name: "children", Type: nvlist.NVListArray, Value: []nvlist.List{file}},
	)
	properties := nvlist.New(stringPair("cachefile", "none"))
	conf, err := nvlist.Encode(root, nvlist.Host())
	if err != nil {
		return err
	}
	src, err := nvlist.Encode(properties, nvlist.Host())
	if err != nil {
		return err
	}
	return p.ioctl(zfscmd.PoolCreate, zfscmd.Args{Name: p.name, Conf: conf, Src: src})
}

func (p *filePool) ioctl(c zfscmd.Command, args zfscmd.Args) error {
	device, err := os.OpenFile(p.devicePath, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = zfscmd.Do(int(device.Fd()), c, args)
	return errors.Join(err, device.Close())
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
