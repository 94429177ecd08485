// Package targets holds the Mage targets of a kernel module's project. Import it
// in a magefile:
//
//	//mage:import
//	_ "github.com/kmodaudit/kmodaudit/targets"
package targets

import (
	"context"
	"os"

	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
)

// Audit audits headers, stack and events of the module in ./zfs, or of the bundled recording; -device=/dev/zfs checks the events of the loaded module.
func Audit(ctx context.Context, config, device *string) error {
	return cli.Audit(ctx, os.Stdout, cli.AuditFlags{Config: value(config), Device: value(device)})
}

// EndToEnd audits the real thing: builds OpenZFS against a kernel, boots that in QEMU and tests the loaded module; ZFS_SRC=DIR for a source tree, KERNEL=RELEASE for a kernel, KMODAUDIT_CACHE=DIR for the cache.
func EndToEnd(ctx context.Context) error {
	return cli.EndToEnd(ctx, os.Stdout, os.Stderr, cli.EndToEndFlags{
		Config:  os.Getenv("KMODAUDIT_CONFIG"),
		Source:  os.Getenv("ZFS_SRC"),
		Release: os.Getenv("KERNEL"),
		Cache:   os.Getenv("KMODAUDIT_CACHE"),
	})
}

// value of an optional flag.
func value(flag *string) string {
	if flag == nil {
		return ""
	}
	return *flag
}
