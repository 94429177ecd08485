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

// value of an optional flag.
func value(flag *string) string {
	if flag == nil {
		return ""
	}
	return *flag
}
