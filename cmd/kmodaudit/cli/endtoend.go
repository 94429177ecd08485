package cli

import (
	"context"
	"io"
	"path/filepath"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/progress"
	"github.com/kmodaudit/kmodaudit/report"
)

// endToEndName is the directory of the results below that of an audit's.
const endToEndName = "endtoend"

// RealAudit audits the real thing, and keeps what it finds on the way in a directory.
type RealAudit func(ctx context.Context, limits audit.Config, out string, report progress.Func) (audit.Result, error)

// EndToEnd runs a real audit under a configuration, whose file may be empty for kmodaudit.toml here, or the defaults. That the audit
// is the caller's keeps what builds and boots out of the command.
func EndToEnd(ctx context.Context, stdout, stderr io.Writer, configFile string, run RealAudit) error {
	config, err := readConfig(configFile)
	if err != nil {
		return cannot(err)
	}
	out := config.OutPath(endToEndName)
	resultFile := filepath.Join(out, audit.ResultName)
	if err := removeOld(resultFile); err != nil {
		return cannot(err)
	}
	result, err := run(ctx, config, out, report.NewProgress(stderr, columns(stderr)).Show)
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
