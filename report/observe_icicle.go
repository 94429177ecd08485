package report

import (
	"io"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/observe"
)

// WriteObservedIcicle draws what runs used of the stack, see WriteIcicle, each beside the deepest path that is known from the
// functions of its run of modules: both have the callers of that function above them.
func WriteObservedIcicle(w io.Writer, title string, all []observe.Observation, limitBytes int) error {
	var paths []drawn
	for _, o := range all {
		steps := observedSteps(o)
		if len(steps) == 0 {
			continue
		}
		paths = append(paths, drawn{callgraph.Path{Bytes: o.Bytes, Steps: steps}, captionOf(o)})
		if o.Run == nil || o.Run.Worst == nil {
			continue
		}
		above := steps[:len(steps)-o.Run.Above]
		worst := callgraph.Path{Verdict: o.Run.Worst.Verdict, Steps: slices.Concat(above, o.Run.Worst.Steps), Bytes: o.Run.Worst.Bytes}
		for _, s := range above {
			worst.Bytes += s.Bytes
		}
		paths = append(paths, drawn{worst, "static"})
	}
	return writeIcicle(w, title, paths, limitBytes)
}

func captionOf(o observe.Observation) string {
	return strings.TrimSpace("observed " + o.Title)
}

// observedSteps returns the steps of a trace as those of a path, the outermost first.
func observedSteps(o observe.Observation) []callgraph.Step {
	var steps []callgraph.Step
	for _, s := range slices.Backward(o.Steps) {
		f := frame.Frame{Function: s.Function, Object: "kernel", Bytes: s.Size}
		if s.Module != "" {
			f.Object = s.Module
		}
		if s.Frame != nil {
			f.File, f.Line, f.Column = s.Frame.File, s.Frame.Line, s.Frame.Column
		}
		steps = append(steps, callgraph.Step{Frame: f, Bytes: s.Size})
	}
	return steps
}
