package cli

import (
	"fmt"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck"
)

// readFrames reads builds for those who need frames: that there are none is an error.
func readFrames(paths []string) (stackcheck.Build, error) {
	build, err := stackcheck.Read(paths...)
	if err == nil && len(build.Frames) == 0 {
		err = fmt.Errorf("reading stack usage: %s: %w", strings.Join(paths, ", "), stackcheck.ErrNoData)
	}
	return build, err
}

func errNoGraph(paths []string) error {
	return fmt.Errorf("reading calls: %s: no call graph (.ci) here;"+
		" build with gcc 10 or later and make KCFLAGS='-fstack-usage -fcallgraph-info=su,da'", strings.Join(paths, ", "))
}
