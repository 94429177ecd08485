package suite

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Unload implements [Unloadable], by delete_module(2) without waiting and without force. No pool is left then to
// keep the module, or to suffer.
func (t *DeviceTarget) Unload() error {
	if err := t.Close(); err != nil {
		return err
	}
	count, err := os.ReadFile(moduleDir + "/refcnt")
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %w: ZFS is built in, or the kernel has no CONFIG_MODULE_UNLOAD", ErrNotAModule, err)
	}
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(count)) == "0" {
		return ErrUnused
	}
	return unix.DeleteModule("zfs", unix.O_NONBLOCK)
}
