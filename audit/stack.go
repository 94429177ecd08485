package audit

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

// heaviestFrames is how many of the largest frames a result holds.
const heaviestFrames = 10

// StackInput says which build to check against what.
type StackInput struct {
	Origin Origin
	Path   string // directory or archive with .su and .ci files
	Limits stackcheck.Limits
	Watch  []string // functions that the result always tells of
}

// StackInput checks the build at path against this configuration's limits.
func (c Config) StackInput(path string, origin Origin) StackInput {
	return StackInput{Origin: origin, Path: path, Limits: c.StackLimits(), Watch: c.Stack.Watch}
}

// AuditStack checks every frame of a build. What could be read of a damaged
// build is still told.
func AuditStack(in StackInput) Stack {
	s := Stack{Section: Section{Origin: in.Origin}, LimitBytes: in.Limits.FrameBytes}
	build, readErr := stackcheck.Read(in.Path)
	if len(build.Functions) == 0 {
		if readErr == nil {
			readErr = fmt.Errorf("reading stack usage: %s: %w", in.Path, stackcheck.ErrNoData)
		}
		s.conclude(readErr)
		return s
	}
	build, besideErr := build.With(in.Limits.Beside)
	s.describe(build, in.Watch)
	limits, baselineErr := in.Limits.ReadBaseline()
	findings, checkErr := stackcheck.Check(build, limits)
	for _, fn := range build.Functions {
		if fn.Frames[0].Bytes > in.Limits.FrameBytes {
			s.Above++
		}
	}
	if checkErr == nil {
		s.Waived = s.Above
	}
	for _, f := range findings {
		s.Findings = append(s.Findings, stackFinding(f))
		if f.Frame != nil && f.Frame.Bytes > in.Limits.FrameBytes { // not waived, or above what its waiver allows
			s.Waived--
		}
	}
	s.conclude(errors.Join(readErr, besideErr, baselineErr, checkErr))
	return s
}

func (s *Stack) describe(build stackcheck.Build, watch []string) {
	s.Frames = len(build.Functions)
	if n := len(build.Unsized); n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("functions whose frame nothing tells, such as %s in %s: %d",
			build.Unsized[0].Function, build.Unsized[0].Object, n))
	}
	for _, fn := range build.Functions[:min(heaviestFrames, len(build.Functions))] {
		s.Heaviest = append(s.Heaviest, fn.Frames[0])
	}
	if build.Graph != nil {
		worst := build.Graph.Worst()
		s.Graph = &Graph{WorstPathBytes: worst.Bytes, LowerBound: !worst.Verdict.Exact(), Path: names(worst)}
		for _, n := range build.Graph.Nodes {
			if n.Defined {
				s.Graph.Functions++
			}
			s.Graph.CallSites += len(n.Indirect)
			for _, c := range n.Calls {
				s.Graph.CallSites += c.Sites
			}
		}
	}
	for _, function := range watch {
		w := Watched{Function: function, Frames: build.Lookup(function)}
		if build.Graph != nil {
			w.takeWorstPath(build.Graph)
		}
		s.Watched = append(s.Watched, w)
	}
	if n := len(build.WithoutGraph); n > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("objects without a .ci file, whose calls are on no path: %d", n))
	}
}

// takeWorstPath looks for the deepest path through any function of the watched name.
func (w *Watched) takeWorstPath(g *callgraph.Graph) {
	for _, n := range g.Find(w.Function) {
		path := g.WorstThrough(n)
		if path.Bytes > w.WorstPathBytes {
			w.WorstPathBytes, w.LowerBound, w.Path = path.Bytes, !path.Verdict.Exact(), names(path)
		}
	}
}

// names returns the functions of a path, the outermost first.
func names(p callgraph.Path) []string {
	var functions []string
	for _, step := range p.Steps {
		functions = append(functions, step.Frame.Function)
	}
	return functions
}

func stackFinding(f stackcheck.Finding) Finding {
	where := []string{f.Place.File}
	for _, n := range []int{f.Place.Line, f.Place.Column} {
		if n > 0 {
			where = append(where, fmt.Sprint(n))
		}
	}
	return Finding{Where: strings.Join(where, ":"), What: f.Message, Remedy: f.Remedy}
}
