// Package cli holds what the commands of kmodaudit and the Mage targets do, given where to print.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/report"
)

// ExitError ends a command with a status. Err is nil when all that is to be said was printed.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string {
	switch {
	case e.Err != nil:
		return e.Err.Error()
	case e.Code == audit.Findings.ExitCode():
		return "the audit has findings"
	}
	return "not every audit could be done"
}

func (e *ExitError) Unwrap() error { return e.Err }

// ExitStatus makes Mage end with the same status.
func (e *ExitError) ExitStatus() int { return e.Code }

// cannot is the end of a command that could not do what it was asked.
func cannot(err error) error { return &ExitError{Code: 2, Err: err} }

// verdict is the end of a command whose result was printed.
func verdict(v audit.Verdict) error {
	if v == audit.Clean {
		return nil
	}
	return &ExitError{Code: v.ExitCode()}
}

// AuditFlags are the flags of the audit command.
type AuditFlags struct {
	Config string // file; empty for kmodaudit.toml here, or the defaults without one
	JSON   string // file for the result; empty for audit.json in the output directory
	Device string // check the loaded module through it
}

// Audit runs the three audits and prints their summary.
func Audit(ctx context.Context, stdout io.Writer, f AuditFlags) error {
	config, err := readConfig(f.Config)
	if err != nil {
		return cannot(err)
	}
	modTime, err := sourceDateEpoch()
	if err != nil {
		return cannot(err)
	}
	resultFile := f.JSON
	if resultFile == "" {
		resultFile = config.OutPath(audit.ResultName)
	}
	if err := removeOld(resultFile); err != nil {
		return cannot(err)
	}
	result, err := audit.Run(ctx, config, audit.Options{Device: f.Device, Dir: os.TempDir(), ModTime: modTime})
	if err != nil {
		return cannot(err)
	}
	return finish(stdout, result, resultFile)
}

// readConfig reads the file that was named, or else kmodaudit.toml if there is one.
func readConfig(named string) (audit.Config, error) {
	if named != "" {
		return audit.ReadConfig(named, true)
	}
	return audit.ReadConfig(audit.ConfigName, false)
}

// finish writes a result to its file and prints its summary.
func finish(stdout io.Writer, result audit.Result, file string) error {
	if err := report.WriteJSON(file, result); err != nil {
		return cannot(fmt.Errorf("writing the result: %w", err))
	}
	if err := report.Summary(stdout, result); err != nil {
		return cannot(fmt.Errorf("printing the summary: %w", err))
	}
	return verdict(result.Verdict)
}

// removeOld removes the result of an earlier run, which must not be taken for
// that of one which fails.
func removeOld(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the last result: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("making the output directory: %w", err)
	}
	return nil
}

// sourceDateEpoch reads the time that reproducible-builds.org has builds stamp files with.
func sourceDateEpoch() (*time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return nil, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("reading SOURCE_DATE_EPOCH: %q is not a number of seconds", text)
	}
	t := time.Unix(seconds, 0)
	return &t, nil
}
