package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/cache"
	"github.com/kmodaudit/kmodaudit/endtoend"
	"github.com/kmodaudit/kmodaudit/report"
)

// endToEndName is the directory of the results below that of an audit's.
const endToEndName = "endtoend"

// EndToEndFlags say what to run on.
type EndToEndFlags struct {
	Config  string // file with the limits and waivers; empty for kmodaudit.toml here, or the defaults
	Source  string // source tree of OpenZFS; empty for the distribution's
	Release string // of the kernel; empty for the distribution's current one
	Cache   string // directory; empty for kmodaudit in the user's cache directory
}

// EndToEnd audits a module that it builds, on a kernel that it boots.
func EndToEnd(ctx context.Context, stdout, stderr io.Writer, f EndToEndFlags) error {
	config, err := readConfig(f.Config)
	if err != nil {
		return cannot(err)
	}
	if f.Cache == "" {
		if f.Cache, err = defaultCache(); err != nil {
			return cannot(err)
		}
	}
	out := config.OutPath(endToEndName)
	resultFile := filepath.Join(out, audit.ResultName)
	if err := removeOld(resultFile); err != nil {
		return cannot(err)
	}
	progress := report.NewProgress(stderr, columns(stderr))
	result, err := endtoend.Run(ctx, config, endtoend.Config{
		Cache: cache.Dir(f.Cache), Source: f.Source, Release: f.Release, Out: out, Progress: progress.Show,
	})
	if err != nil {
		return cannot(err)
	}
	if observed := result.Stack.Observed; len(observed) > 0 {
		if err := drawObservations(filepath.Join(out, "stack_traces.svg"), result.Stack.Origin.What, observed); err != nil {
			return cannot(err)
		}
	}
	return finish(stdout, result, resultFile)
}

// RealHeaderTrees returns the include directories of the kernel and of the module that EndToEnd audits.
func RealHeaderTrees(ctx context.Context, stderr io.Writer, f EndToEndFlags) ([]string, error) {
	if f.Cache == "" {
		var err error
		if f.Cache, err = defaultCache(); err != nil {
			return nil, cannot(err)
		}
	}
	progress := report.NewProgress(stderr, columns(stderr))
	ground, err := endtoend.Build(ctx, endtoend.Config{
		Cache: cache.Dir(f.Cache), Source: f.Source, Release: f.Release, Progress: progress.Show,
	})
	if err != nil {
		return nil, cannot(err)
	}
	return []string{filepath.Join(ground.Kernel.SourceDir, "include"), filepath.Join(ground.Module.Dir, "include")}, nil
}

func defaultCache() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the user's cache directory: %w; set KMODAUDIT_CACHE", err)
	}
	return filepath.Join(dir, "kmodaudit"), nil
}

// columns returns the width of a terminal, 0 for what is none.
func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 {
		return 80
	}
	return width
}
