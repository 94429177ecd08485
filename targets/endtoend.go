package targets

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/cache"
	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
	"github.com/kmodaudit/kmodaudit/endtoend"
	"github.com/kmodaudit/kmodaudit/progress"
)

// EndToEnd audits the real thing: builds OpenZFS against a kernel, boots that in QEMU and tests the loaded module; ZFS_SRC=DIR for a source tree, KERNEL=RELEASE for a kernel, KMODAUDIT_CACHE=DIR for the cache.
func EndToEnd(ctx context.Context) error {
	run := func(ctx context.Context, limits audit.Config, out string, report progress.Func) (audit.Result, error) {
		c, err := RealConfig(out, report)
		if err != nil {
			return audit.Result{}, err
		}
		return endtoend.Run(ctx, limits, c)
	}
	return cli.EndToEnd(ctx, os.Stdout, os.Stderr, os.Getenv("KMODAUDIT_CONFIG"), run)
}

// RealConfig is what the environment says of the real thing.
func RealConfig(out string, report progress.Func) (endtoend.Config, error) {
	dir := os.Getenv("KMODAUDIT_CACHE")
	if dir == "" {
		home, err := os.UserCacheDir()
		if err != nil {
			return endtoend.Config{}, fmt.Errorf("finding the user's cache directory: %w; set KMODAUDIT_CACHE", err)
		}
		dir = filepath.Join(home, "kmodaudit")
	}
	return endtoend.Config{
		Cache: cache.Dir(dir), Source: os.Getenv("ZFS_SRC"), Release: os.Getenv("KERNEL"), Out: out, Progress: report,
	}, nil
}
