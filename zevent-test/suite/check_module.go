package suite

import (
	"errors"
	"fmt"
	"syscall"
)

// Unloadable is a Target behind a module of the kernel.
type Unloadable interface {
	// Unload asks the kernel to unload the module now or never, unless the module has no users by
	// the kernel's count: then it is left alone and the error is [ErrUnused]. The error is
	// [ErrNotAModule] where the kernel unloads none.
	Unload() error
}

var (
	// ErrUnused: the module is not protected from being unloaded.
	ErrUnused = errors.New("the kernel counts no user of the module")
	// ErrNotAModule: it cannot be unloaded anyway.
	ErrNotAModule = errors.New("there is no module that could be unloaded")
)

var moduleInUseCheck = Check{
	Name:    "module-in-use",
	Asserts: "While a descriptor is open the kernel refuses to unload the module, with EWOULDBLOCK.",
	Source:  "module/os/linux/zfs/zfs_ioctl_os.c (zfsdev_fops: owner is THIS_MODULE), kernel/module (delete_module), every release",
	run: func(p *probe) error {
		module, ok := p.target.(Unloadable)
		if !ok {
			return &skipError{"this target has no module"}
		}
		if _, err := p.open(); err != nil {
			return err
		}
		err := module.Unload()
		switch {
		case errors.Is(err, ErrNotAModule):
			return &skipError{err.Error()}
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return fmt.Errorf("unloading with an open descriptor: got error %v, want EWOULDBLOCK", err)
		}
		return nil
	},
}
