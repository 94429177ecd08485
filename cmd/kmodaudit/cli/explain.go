package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/report"
	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/advice"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// ExplainFlags are the flags of the commands that say what frames are made of.
type ExplainFlags struct {
	Paths    []string // as StackFlags.Paths
	Format   report.Format
	Function string // explain: what is explained; advise: in place of the frames above the limit, empty for these
	Limit    int    // advise: in bytes; 0 for that of the configuration
	Top      int    // explain: lines of a table; advise: frames; 0 for all
	Config   string // as StackFlags.Config
	Beside   stackcheck.Beside
}

// StackExplain prints what the frame of a function, and of its clones, is made of.
func StackExplain(out Output, f ExplainFlags) error {
	e, readErr, err := readExplained(out, f)
	if err != nil {
		return err
	}
	nodes, err := functionsOf(e.build.Graph, f.Function)
	if err != nil {
		return cannot(errors.Join(readErr, err))
	}
	maps, mapsErr := advice.ReadMaps(e.build, nodes, f.Paths...)
	explained := []advice.Explanation{}
	for _, n := range nodes {
		explained = append(explained, advice.Explain(e.build, maps, n))
	}
	if err := out.write(report.Explanations(explained, f.Top), f.Format); err != nil {
		return err
	}
	return failed(errors.Join(readErr, mapsErr))
}

// StackAdvise prints what could be done about the frames above the limit, or about those of a function.
func StackAdvise(out Output, f ExplainFlags) error {
	e, readErr, err := readExplained(out, f)
	if err != nil {
		return err
	}
	limit := cmp.Or(f.Limit, e.limits.FrameBytes)
	all := above(e.build.Graph, limit)
	nodes := first(f.Top, all)
	if f.Function != "" {
		limit = 0
		if nodes, err = functionsOf(e.build.Graph, f.Function); err != nil {
			return cannot(errors.Join(readErr, err))
		}
	}
	maps, mapsErr := advice.ReadMaps(e.build, nodes, f.Paths...)
	advised := advice.Advise(e.build, maps, e.beside, nodes)
	if err := out.write(report.Advice(advised, len(all), limit), f.Format); err != nil {
		return err
	}
	return failed(errors.Join(readErr, mapsErr))
}

// heavyBuild is what the commands read.
type heavyBuild struct {
	build  stackcheck.Build
	limits stackcheck.Limits
	beside stackcheck.Beside
}

// readExplained reads the build; readErr tells what is missing of it, err that there is nothing to work with.
func readExplained(out Output, f ExplainFlags) (e heavyBuild, readErr, err error) {
	config, err := readConfig(f.Config)
	if err != nil {
		return e, nil, cannot(err)
	}
	e.limits = config.StackLimits()
	e.beside = besideOf(f.Beside, e.limits.Beside)
	expectHeap(needOfCalls, f.Paths, e.beside.Kernel)
	e.build, readErr = stackcheck.Read(f.Paths...)
	if e.build.Graph == nil {
		return e, nil, cannot(errors.Join(readErr, errNoGraph(f.Paths)))
	}
	var besideErr error
	e.build, besideErr = e.build.With(e.beside)
	out.tellPaths(e.build)
	return e, errors.Join(readErr, besideErr), nil
}

// functionsOf returns the functions of a name that the build has, the largest first.
func functionsOf(g *callgraph.Graph, name string) ([]*callgraph.Node, error) {
	nodes := slices.DeleteFunc(g.Find(name), func(n *callgraph.Node) bool { return !n.Defined || n.Kernel })
	sortBySize(nodes)
	if len(nodes) > 0 {
		return nodes, nil
	}
	const most = 3
	text := fmt.Sprintf("explaining a frame: no function is called %q, or it was inlined and has no frame of its own", name)
	if near := first(most, similar(g, name)); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, ", ") + "?"
	}
	return nil, errors.New(text)
}

// above returns the functions whose frame is above a limit, the largest first.
func above(g *callgraph.Graph, limit int) []*callgraph.Node {
	var nodes []*callgraph.Node
	for _, n := range g.Nodes {
		if n.Defined && !n.Kernel && n.Bytes > limit {
			nodes = append(nodes, n)
		}
	}
	sortBySize(nodes)
	return nodes
}

func sortBySize(nodes []*callgraph.Node) {
	slices.SortStableFunc(nodes, func(a, b *callgraph.Node) int { return frame.Compare(a.Frame, b.Frame) })
}
