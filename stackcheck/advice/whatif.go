package advice

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/framemap"
)

// A model is a graph that can be changed: the graph's own units, written anew, of which each function has its number as its title.
type model struct {
	options   callgraph.Options
	nodes     []*callgraph.Node // of the graph
	number    map[*callgraph.Node]int
	functions []*callgraph.Function // of the nodes
	sites     [][]*callgraph.CallSite
	now       *linked // as it is
}

// newModel makes a model of a build's graph. Calls through pointers are in it as the graph has them.
func newModel(g *callgraph.Graph, beside stackcheck.Beside) *model {
	m := &model{nodes: g.Nodes, number: make(map[*callgraph.Node]int, len(g.Nodes))}
	m.options = callgraph.Options{NoReturn: beside.NoReturn, Turns: beside.Turns}
	for i, n := range g.Nodes {
		m.number[n] = i
		m.functions = append(m.functions, m.function(i, n.Frame))
	}
	for _, n := range g.Nodes {
		m.sites = append(m.sites, m.sitesOf(n, nil))
	}
	m.now = m.with(nil)
	return m
}

func (m *model) function(number int, f frame.Frame) *callgraph.Function {
	return &callgraph.Function{Title: title(number), Name: f.Function, Defined: true, Frame: &f}
}

// linked is a graph that a model has linked.
type linked struct {
	*callgraph.Graph
	of map[identity]*callgraph.Node
}

// An identity is what a node keeps when its size and its calls change.
type identity struct {
	symbol, function, object, file string
	line                           int
}

func identify(n *callgraph.Node) identity {
	return identity{n.Symbol, n.Function, n.Object, n.File, n.Line}
}

// find returns the node that stands for one of the graph that the model is of.
func (l *linked) find(n *callgraph.Node) *callgraph.Node { return l.of[identify(n)] }

// A change is what becomes of one function: a smaller frame, and calls that others take over.
type change struct {
	node  *callgraph.Node
	bytes int // of its frame
	moved []moved
}

// moved are the calls that go to a function that is no longer inlined.
type moved struct {
	*separate
	inside, left map[string]bool // names of what is called in the inlined function, and of what is called elsewhere
}

// A separate is a function that is no longer inlined.
type separate struct {
	title    string
	function string
	bytes    int  // of its frame
	known    bool // it has code already
}

// with links the model's graph anew, with some functions changed and some created.
func (m *model) with(changes []change, created ...*separate) *linked {
	of := make(map[*callgraph.Node]*change, len(changes))
	for i := range changes {
		of[changes[i].node] = &changes[i]
	}
	own, kernel := &callgraph.Unit{Object: "own"}, &callgraph.Unit{Object: "kernel", Kernel: true, Linked: true}
	for i, n := range m.nodes {
		unit, function, sites := own, m.functions[i], m.sites[i]
		if n.Kernel {
			unit = kernel
		}
		own.Linked = own.Linked || !n.Kernel && isKernel(n.Object)
		if c := of[n]; c != nil {
			f := n.Frame
			f.Bytes = c.bytes
			function, sites = m.function(i, f), m.sitesOf(n, c)
		}
		unit.Functions = append(unit.Functions, function)
		unit.CallSites = append(unit.CallSites, sites...)
	}
	for _, one := range created {
		f := frame.Frame{Function: one.function, Symbol: one.title, Bytes: one.bytes, Kind: frame.Static, Source: frame.SourceSU}
		own.Functions = append(own.Functions, &callgraph.Function{Title: one.title, Name: one.function, Defined: true, Frame: &f})
	}
	l := &linked{callgraph.LinkWith([]*callgraph.Unit{own, kernel}, m.options), make(map[identity]*callgraph.Node, len(m.nodes))}
	for _, n := range l.Nodes {
		l.of[identify(n)] = n
	}
	return l
}

func isKernel(object string) bool { return strings.HasPrefix(path.Base(object), "vmlinux") }

// title is that of a function of a model: one without colon, so that all units see it.
func title(number int) string { return "#" + strconv.Itoa(number) }

// sitesOf returns the calls of a function, as they become by a change, which may be nil. A call of which debug information does not tell
// may be in any of the functions: it counts as if it were in all.
func (m *model) sitesOf(n *callgraph.Node, c *change) []*callgraph.CallSite {
	var sites []*callgraph.CallSite
	add := func(from, to string, depth int, tail bool) {
		sites = append(sites, &callgraph.CallSite{Caller: from, Callee: to, Code: &callgraph.Code{Depth: depth, Measured: true, Tail: tail}})
	}
	self := title(m.number[n])
	if c == nil {
		c = &change{node: n, bytes: n.Bytes}
	}
	for _, v := range c.moved {
		add(self, v.title, c.bytes, false)
	}
	for _, call := range n.Calls {
		to := title(m.number[call.Callee])
		left := len(c.moved) == 0
		found := false
		for _, v := range c.moved {
			inside, also := v.places(call.Callee)
			found, left = found || inside || also, left || also
		}
		for _, v := range c.moved {
			if inside, _ := v.places(call.Callee); (inside || !found) && !v.known {
				add(v.title, to, v.bytes, false)
			}
		}
		if left || !found {
			add(self, to, depthAfter(call, n, c), call.Tail)
		}
	}
	return sites
}

// places tells where a function is called, as debug information has it: in the inlined one, and in what remains.
func (v *moved) places(callee *callgraph.Node) (inside, left bool) {
	for _, name := range []string{callee.Symbol, frame.BaseName(callee.Symbol), callee.Function} {
		inside, left = inside || v.inside[name], left || v.left[name]
	}
	return inside, left
}

// depthAfter returns what a caller has of the stack at a call once its frame is smaller.
func depthAfter(call callgraph.Call, n *callgraph.Node, c *change) int {
	return max(call.Bytes-(n.Bytes-c.bytes), min(call.Bytes, frame.ReturnAddressBytes))
}

// callsOf returns the names of what is called in the inlined bodies of a function, and of what is called in none of several functions'.
func callsOf(m *framemap.Map, i *framemap.Inlined, all []*framemap.Inlined) (inside, left map[string]bool) {
	inside, left = make(map[string]bool), make(map[string]bool)
	m.Walk(func(chain []*framemap.Scope) bool {
		isIn := func(i *framemap.Inlined) bool { return slices.ContainsFunc(chain, i.Is) }
		for _, call := range chain[len(chain)-1].Calls {
			if isIn(i) {
				inside[call.Callee] = true
			}
			if !slices.ContainsFunc(all, isIn) {
				left[call.Callee] = true
			}
		}
		return true
	})
	return inside, left
}
