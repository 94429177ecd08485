package cli

import (
	"errors"

	"github.com/kmodaudit/kmodaudit/report"
	"github.com/kmodaudit/kmodaudit/stackcheck"
)

// SnapshotFlags are the flags of stack snapshot.
type SnapshotFlags struct {
	Paths []string // of builds
	File  string
	Built stackcheck.Built // what the user knows of them, and no file tells
}

// StackSnapshot writes builds into one file. A damaged build has no snapshot: it would be a baseline of what was readable.
func StackSnapshot(out Output, f SnapshotFlags) error {
	build, err := readBuild(f.Paths)
	if err != nil {
		return cannot(err)
	}
	if err := build.ReadTypes(); err != nil && !errors.Is(err, stackcheck.ErrNoTypes) {
		return cannot(err)
	}
	out.tellUnsized(build)
	build.Built = f.Built.Over(build.Built)
	if err := stackcheck.WriteSnapshotFile(f.File, build); err != nil {
		return cannot(err)
	}
	return out.write(report.Snapshot(f.File, build), report.TableFormat)
}
