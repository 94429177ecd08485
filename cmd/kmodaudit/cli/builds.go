package cli

import (
	"fmt"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck"
)

// readFrames reads builds for those who need frames: that there are none is an error.
func readFrames(paths []string) (stackcheck.Build, error) {
	return framesOf(needOfFrames, stackcheck.ReadFrames, paths)
}

// readBuild reads builds for those who need frames and calls.
func readBuild(paths []string) (stackcheck.Build, error) {
	return framesOf(needOfCalls, stackcheck.Read, paths)
}

func framesOf(need heapNeed, read func(...string) (stackcheck.Build, error), paths []string) (stackcheck.Build, error) {
	expectHeap(need, paths, nil)
	build, err := read(paths...)
	if err == nil && len(build.Functions) == 0 {
		err = fmt.Errorf("reading stack usage: %s: %w", strings.Join(paths, ", "), stackcheck.ErrNoData)
	}
	return build, err
}

// tellUnsized warns of what an audit of the build does not see.
func (o Output) tellUnsized(build stackcheck.Build) {
	if n := len(build.Unsized); n > 0 {
		f := build.Unsized[0]
		o.warn(fmt.Sprintf("functions whose frame nothing tells, such as %s in %s: %d;"+
			" neither a compiler nor ORC does, and only code of modules and kernels of x86-64 and aarch64 is added up", f.Function, f.Object, n))
	}
}

func errNoGraph(paths []string) error {
	return fmt.Errorf("reading calls: %s: no call graph (.ci) here, nor code of x86-64 or aarch64;"+
		" build with gcc 10 or later and make KCFLAGS='-fstack-usage -fcallgraph-info=su,da', or give the objects too", strings.Join(paths, ", "))
}
