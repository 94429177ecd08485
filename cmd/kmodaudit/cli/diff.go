package cli

import (
	"errors"
	"fmt"

	"github.com/kmodaudit/kmodaudit/report"
	"github.com/kmodaudit/kmodaudit/stackcheck"
)

// DiffFlags are the flags of stack diff.
type DiffFlags struct {
	Old, New string // paths of builds
	Top      int    // no more changes than that, the largest; 0 for all
	Format   report.Format
}

// StackDiff prints what differs between two builds. What can be read of a damaged build is compared too.
func StackDiff(out Output, f DiffFlags) error {
	before, oldErr := readBuild([]string{f.Old})
	after, newErr := readBuild([]string{f.New})
	readErr := errors.Join(oldErr, newErr)
	if readErr != nil && (len(before.Functions) == 0 || len(after.Functions) == 0) {
		return cannot(readErr)
	}
	diff := stackcheck.Compare(before, after)
	if diff.Mixed > 0 {
		out.warn(fmt.Sprintf("functions of which no source tells in both builds, compared across sources: %d", diff.Mixed))
	}
	if (before.Graph == nil) != (after.Graph == nil) {
		out.warn("only one of the builds has a call graph (.ci): no paths are compared, and what was inlined counts as gone")
	}
	if f.Format == report.CSVFormat { // has no place for a second table
		diff.Paths = nil
	}
	if err := out.write(report.StackDiff(diff, f.Top), f.Format); err != nil {
		return err
	}
	return failed(readErr)
}
