package cli

import (
	"errors"
	"sort"

	"github.com/kmodaudit/kmodaudit/report"
	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// StackFlags are the flags of the commands that read stack usage.
type StackFlags struct {
	Paths  []string // of builds: directories, archives, .su and .ci files, objects
	Format report.Format

	MinBytes int          // frames: none that is smaller
	Source   frame.Source // frames: of that one, or BestSource, or AllSources
	Top      int          // frames, paths: no more than that, the largest; 0 for all

	Config   string // check: file; empty for kmodaudit.toml here, or the defaults without one
	Baseline string // check: snapshot or build, in place of that of the configuration

	Through, From string            // paths: function on the path, or at its beginning; at most one of them
	EntryPoints   bool              // paths: only where they begin, and how deep they go; at most one of the three
	SVG           string            // paths: file that receives a drawing of them; empty for none
	Beside        stackcheck.Beside // paths: beside what the configuration says
}

// StackFrames prints the frames of builds, the largest first. What can be read of a damaged build is printed too.
func StackFrames(out Output, f StackFlags) error {
	build, readErr := readFrames(f.Paths)
	if len(build.Functions) == 0 && readErr != nil {
		return cannot(readErr)
	}
	build, err := chosen(build, f.Source)
	if err != nil {
		return cannot(errors.Join(readErr, err))
	}
	out.tellUnsized(build)
	out.note(len(build.Copies), "modules left out that are in the same directory once more")
	out.tellHowCounted(build)
	total := len(build.Functions)
	functions := build.Functions[:sort.Search(total, func(i int) bool { return build.Functions[i].Frames[0].Bytes < f.MinBytes })]
	if err := out.write(report.Frames(first(f.Top, functions), total, f.Source == AllSources), f.Format); err != nil {
		return err
	}
	return failed(readErr)
}

// StackCheck checks the frames of builds against the limits and waivers of a configuration.
func StackCheck(out Output, f StackFlags) error {
	config, err := readConfig(f.Config)
	if err != nil {
		return cannot(err)
	}
	build, readErr := readBuild(f.Paths)
	if len(build.Functions) == 0 && readErr != nil {
		return cannot(readErr)
	}
	out.tellUnsized(build)
	limits := config.StackLimits()
	if f.Baseline != "" {
		limits.Baseline = config.StackBaseline(f.Baseline)
		limits.Baseline.Name = f.Baseline // of here, and not of the configuration's directory
	}
	build, besideErr := build.With(limits.Beside)
	limits, baselineErr := limits.ReadBaseline()
	if b := limits.Baseline; b != nil && b.Build.Graph == nil && build.Graph != nil {
		out.warn(b.Name + " has no call graph: only frames are compared with it")
	}
	findings, checkErr := stackcheck.Check(build, limits)
	if err := out.write(report.StackFindings(findings, len(build.Functions), limits), f.Format); err != nil {
		return err
	}
	if err := failed(errors.Join(readErr, besideErr, baselineErr, checkErr)); err != nil {
		return err
	}
	return found(len(findings))
}

// failed is the end of a command that has printed what it could.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return cannot(err)
}

// first returns the first n of all, or all for 0.
func first[T any](n int, all []T) []T {
	if n <= 0 {
		return all
	}
	return all[:min(n, len(all))]
}
