package audit

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

// StackConfig says where stack usage is read and what is too much of it.
type StackConfig struct {
	Build           string         `toml:"build"`             // directory or archive with .su and .ci files, default "./zfs"
	FrameLimitBytes int            `toml:"frame_limit_bytes"` // default 2048, the kernel's CONFIG_FRAME_WARN on 64 bits
	PathLimitBytes  int            `toml:"path_limit_bytes"`  // of the deepest path; default none
	Watch           []string       `toml:"watch"`             // functions that the summary always tells of
	Entries         Patterns       `toml:"entry"`             // globs of functions that are called from outside, see stackcheck.Reach
	Limits          []Limit        `toml:"limit"`
	Kernel          Patterns       `toml:"kernel"`         // vmlinux, or modules, that the build calls
	External        map[string]int `toml:"external"`       // bytes of functions that the build does not have, with all that they call
	ExternalBytes   int            `toml:"external_bytes"` // of all others; default none: paths that lead there are lower bounds
	NoReturn        Patterns       `toml:"noreturn"`       // functions that do not return, beside those that are known
	Indirect        string         `toml:"indirect"`       // what calls through pointers lead to, see callgraph.Policy; default "none"
	Cycles          []Cycle        `toml:"cycle"`
	Waivers         []Waiver       `toml:"waiver"`
	Baseline        BaselineConfig `toml:"baseline"`
}

// Limit is the limit of particular functions, in place of the general one. An empty glob matches everything.
type Limit struct {
	File       string `toml:"file"`        // doublestar glob on the source file
	Function   string `toml:"function"`    // glob
	FrameBytes int    `toml:"frame_bytes"` // 0 for none of its own
	PathBytes  int    `toml:"path_bytes"`

	place callgraph.Position
}

// Waiver allows frames above the limit, or paths, up to a ceiling, for a reason. An empty glob
// matches everything.
type Waiver struct {
	File             string `toml:"file"`     // doublestar glob on the source file
	Function         string `toml:"function"` // glob
	CeilingBytes     int    `toml:"ceiling_bytes"`
	PathCeilingBytes int    `toml:"path_ceiling_bytes"`
	Reason           string `toml:"reason"`
	Expires          string `toml:"expires"`   // the last day, such as "2027-01-31"; empty for never
	Unreached        bool   `toml:"unreached"` // it holds only for functions to which no calls lead

	place callgraph.Position
}

// Cycle says how often functions recurse at most.
type Cycle struct {
	Function string `toml:"function"` // the name of one of them
	Turns    int    `toml:"turns"`
	Reason   string `toml:"reason"`

	place callgraph.Position
}

// BaselineConfig names an earlier build, and says how far the next may be from it.
type BaselineConfig struct {
	Snapshot         string `toml:"snapshot"`           // what stack snapshot wrote, or a build; empty for no baseline
	NewFrameBytes    int    `toml:"new_frame_bytes"`    // smallest frame of a new function that is found; default half of the limit
	FrameGrowthBytes int    `toml:"frame_growth_bytes"` // that a frame may grow by, default 0
	PathGrowthBytes  int    `toml:"path_growth_bytes"`  // that a deepest path may grow by, default 0
}

func (s *StackConfig) setDefaults() {
	if s.Build == "" {
		s.Build = "./zfs"
	}
	if s.FrameLimitBytes == 0 {
		s.FrameLimitBytes = 2048
	}
	if s.Baseline.NewFrameBytes == 0 {
		s.Baseline.NewFrameBytes = s.FrameLimitBytes / 2
	}
}

// locate notes where in the file each limit and waiver stands.
func (s *StackConfig) locate(file string, text []byte) {
	for i := range s.Limits {
		s.Limits[i].place = lineOf(file, text, "limit", i)
	}
	for i := range s.Cycles {
		s.Cycles[i].place = lineOf(file, text, "cycle", i)
	}
	for i := range s.Waivers {
		s.Waivers[i].place = lineOf(file, text, "waiver", i)
	}
}

func lineOf(file string, text []byte, table string, index int) callgraph.Position {
	where := place(file, text, []string{"stack", table}, index)
	line, _ := strconv.Atoi(strings.TrimPrefix(where, file+":")) // 0 if it is written in another way
	return callgraph.Position{File: file, Line: line}
}

// StackLimits returns the limits of the configuration, with waivers as of today. The baseline is yet to be read.
func (c Config) StackLimits() stackcheck.Limits {
	s := c.Stack
	l := stackcheck.Limits{
		FrameBytes: s.FrameLimitBytes, PathBytes: s.PathLimitBytes,
		Today: time.Now().Format(time.DateOnly), Baseline: c.StackBaseline(s.Baseline.Snapshot),
	}
	for _, limit := range s.Limits {
		l.Particular = append(l.Particular, stackcheck.Limit{
			Target:     stackcheck.Target{File: limit.File, Function: limit.Function, Place: limit.place},
			FrameBytes: limit.FrameBytes, PathBytes: limit.PathBytes,
		})
	}
	for _, function := range s.Entries {
		l.Entries = append(l.Entries, stackcheck.Entry{Target: stackcheck.Target{Function: function, Place: callgraph.Position{File: c.file}}})
	}
	for _, w := range s.Waivers {
		l.Waivers = append(l.Waivers, stackcheck.Waiver{
			Target:       stackcheck.Target{File: w.File, Function: w.Function, Place: w.place},
			CeilingBytes: w.CeilingBytes, PathCeilingBytes: w.PathCeilingBytes,
			Reason: w.Reason, Expires: w.Expires, Unreached: w.Unreached,
		})
	}
	for _, cycle := range s.Cycles {
		l.Cycles = append(l.Cycles, stackcheck.Cycle{
			Target: stackcheck.Target{Function: cycle.Function, Place: cycle.place}, Turns: cycle.Turns, Reason: cycle.Reason,
		})
	}
	for _, function := range slices.Sorted(maps.Keys(s.External)) {
		l.Externals = append(l.Externals, stackcheck.External{
			Target: stackcheck.Target{Function: function, Place: callgraph.Position{File: c.file}}, Bytes: s.External[function],
		})
	}
	l.Beside = c.stackBeside()
	return l
}

// stackBeside returns what paths are judged by beside the build.
func (c Config) stackBeside() stackcheck.Beside {
	s := c.Stack
	beside := stackcheck.Beside{Options: callgraph.Options{
		NoReturn: s.NoReturn, External: s.External, ExternalBytes: s.ExternalBytes, Indirect: callgraph.Policy(s.Indirect),
	}}
	if len(s.Cycles) > 0 {
		beside.Turns = make(map[string]int)
	}
	for _, cycle := range s.Cycles {
		beside.Turns[cycle.Function] = cycle.Turns
	}
	for _, name := range s.Kernel {
		beside.Kernel = append(beside.Kernel, c.Path(name))
	}
	return beside
}

// StackBaseline returns the baseline that is to be read from a snapshot, nil for none.
func (c Config) StackBaseline(snapshot string) *stackcheck.Baseline {
	if snapshot == "" {
		return nil
	}
	b := c.Stack.Baseline
	return &stackcheck.Baseline{
		Name:          c.Path(snapshot),
		NewFrameBytes: b.NewFrameBytes, FrameGrowthBytes: b.FrameGrowthBytes, PathGrowthBytes: b.PathGrowthBytes,
	}
}
