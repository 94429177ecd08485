package observe

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/kmod"
	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// statics finds what a build knows of the functions of a trace.
type statics struct {
	functions map[string][]*stackcheck.Function // by each of the names that their sources print
	nodes     map[string][]*callgraph.Node      // defined ones, by symbol
	modules   []string                          // that the build is of; none when no object tells
}

func newStatics(b stackcheck.Build) *statics {
	s := &statics{functions: make(map[string][]*stackcheck.Function), nodes: make(map[string][]*callgraph.Node), modules: b.Built.Modules}
	for i := range b.Functions {
		fn := &b.Functions[i]
		var names []string
		for _, f := range fn.Frames {
			names = append(names, f.Function, cmp.Or(f.Symbol, f.Function))
		}
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			s.functions[name] = append(s.functions[name], fn)
		}
	}
	if b.Graph != nil {
		for _, n := range b.Graph.Nodes {
			if n.Defined {
				s.nodes[n.Symbol] = append(s.nodes[n.Symbol], n)
			}
		}
	}
	return s
}

// covers reports whether the build may have an entry's function: other modules, and the kernel, have functions of the same names.
func (s *statics) covers(e Entry) bool {
	return e.Module == "" || len(s.modules) == 0 || slices.Contains(s.modules, e.Module)
}

// function returns an entry's function, or nil. Of several functions of that name it is one of the entry's module, and of
// several the largest. One of the kernel is one of a vmlinux.
func (s *statics) function(e Entry) *stackcheck.Function {
	if !s.covers(e) {
		return nil
	}
	name, _, _ := strings.Cut(e.Function, coldSuffix)
	candidates := s.functions[name]
	if len(candidates) == 0 { // .su leaves out a clone's last number
		candidates = s.functions[strings.TrimRight(name, ".0123456789")]
	}
	var best *stackcheck.Function
	for _, fn := range candidates {
		if e.Module == "" && !isOf(fn, "") {
			continue
		}
		if best == nil || isBetter(fn, best, e.Module) {
			best = fn
		}
	}
	return best
}

func isBetter(fn, than *stackcheck.Function, module string) bool {
	if in := isOf(fn, module); in != isOf(than, module) {
		return in
	}
	return fn.Frames[0].Bytes > than.Frames[0].Bytes
}

// isOf reports whether a module's own object tells of the function, or, without a module, a kernel.
func isOf(fn *stackcheck.Function, module string) bool {
	return slices.ContainsFunc(fn.Frames, func(f frame.Frame) bool {
		if module == "" {
			return isKernel(f.Object)
		}
		return kmod.NameOf(f.Object) == module
	})
}

func isKernel(object string) bool { return strings.HasPrefix(path.Base(object), "vmlinux") }

// node returns an entry's function in the call graph, or nil: of several of that name the one that its caller calls, or else the
// one of that frame.
func (s *statics) node(e Entry, caller *callgraph.Node, of *frame.Frame) *callgraph.Node {
	if !s.covers(e) || e.Module == "" && (of == nil || !isKernel(of.Object)) {
		return nil
	}
	name, _, _ := strings.Cut(e.Function, coldSuffix)
	candidates := s.nodes[name]
	if caller != nil {
		if i := slices.IndexFunc(candidates, func(n *callgraph.Node) bool { return calls(caller, n) }); i >= 0 {
			return candidates[i]
		}
	}
	if i := slices.IndexFunc(candidates, func(n *callgraph.Node) bool { return of != nil && n.File == of.File && n.Bytes == of.Bytes }); i >= 0 {
		return candidates[i]
	}
	if len(candidates) > 0 {
		return candidates[0]
	}
	return nil
}

func calls(caller, callee *callgraph.Node) bool {
	return slices.ContainsFunc(caller.Calls, func(c callgraph.Call) bool { return c.Callee == callee })
}

// maxTailCalls bounds how many functions may be gone between two entries. Farther away, chains of calls prove little.
const maxTailCalls = 3

// tailCallers returns the functions of the shortest chain of calls from caller to callee, without these two, the outermost
// first: functions that ended in a call are no more on the stack. Calls that machine code shows to be jumps are preferred. It
// returns none when there is no short chain.
func tailCallers(caller, callee *callgraph.Node) []string {
	isJump := func(n *callgraph.Node, c callgraph.Call) bool { return c.Tail || n == caller }
	if chain := shortChain(caller, callee, isJump); chain != nil {
		return chain
	}
	return shortChain(caller, callee, func(*callgraph.Node, callgraph.Call) bool { return true })
}

func shortChain(caller, callee *callgraph.Node, follow func(*callgraph.Node, callgraph.Call) bool) []string {
	from := map[*callgraph.Node]*callgraph.Node{caller: nil}
	level := []*callgraph.Node{caller}
	for range maxTailCalls + 1 {
		var next []*callgraph.Node
		for _, n := range level {
			for _, c := range n.Calls {
				if !follow(n, c) {
					continue
				}
				if c.Callee == callee {
					return chainTo(n, caller, from)
				}
				if _, seen := from[c.Callee]; !seen && c.Callee.Defined {
					from[c.Callee] = n
					next = append(next, c.Callee)
				}
			}
		}
		level = next
	}
	return nil
}

// chainTo returns the functions behind first and up to last, by where each was called from.
func chainTo(last, first *callgraph.Node, from map[*callgraph.Node]*callgraph.Node) []string {
	var chain []string
	for n := last; n != first; n = from[n] {
		chain = append(chain, n.Function)
	}
	slices.Reverse(chain)
	return chain
}
