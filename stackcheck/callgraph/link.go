package callgraph

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// Link makes one graph of units, the way a linker resolves symbols:
//
//  1. A title that its unit defines is that definition; this is how local functions of the same name stay apart.
//  2. A symbol is otherwise what another unit defines for all.
//  3. A symbol that nobody defines for all is what another unit defines under its source's prefix: gcc prefixes weak and
//     comdat definitions like local ones, and so does link-time optimisation with what it moved between its partitions.
//  4. What remains is external: the kernel's functions, other modules', assembly, and aliases, which gcc never declares.
//
// Where several units match, the one with the largest frame is taken and the call is marked Ambiguous.
// The order of units does not matter as long as their Objects differ.
func Link(units []*Unit) *Graph {
	l := linker{
		public:   make(map[string][]*Node),
		prefixed: make(map[string][]*Node),
		external: make(map[string]*Node),
		edges:    make(map[ends]int),
	}
	units = slices.SortedStableFunc(slices.Values(units), func(a, b *Unit) int {
		return cmp.Or(strings.Compare(a.Object, b.Object), strings.Compare(a.Source, b.Source))
	})
	defined := make([]map[string]*Node, len(units))
	for i, u := range units {
		defined[i] = l.define(u)
	}
	for i, u := range units {
		l.connect(u, defined[i])
	}
	return newGraph(l.nodes)
}

type linker struct {
	nodes    []*Node
	public   map[string][]*Node // definitions by symbol
	prefixed map[string][]*Node
	external map[string]*Node // by title
	edges    map[ends]int     // index in the caller's Calls
}

type ends struct{ caller, callee *Node }

// symbol returns the assembler name of a title. The star in front of it marks a name that the source gave with asm.
func symbol(title string) (name string, prefixed bool) {
	i := strings.LastIndexByte(title, ':') // a source file may have one, an assembler name has not
	return strings.TrimPrefix(title[i+1:], "*"), i >= 0
}

// define adds a unit's definitions, and returns them by title.
func (l *linker) define(u *Unit) map[string]*Node {
	defined := make(map[string]*Node)
	for _, f := range u.Functions {
		if !f.Defined {
			continue
		}
		name, prefixed := symbol(f.Title)
		n := &Node{Defined: true, Sized: f.Sized, Frame: frame.Frame{
			Function: f.Name, Symbol: name,
			File: f.Position.File, Line: f.Position.Line, Column: f.Position.Column,
			Bytes: f.Bytes, Kind: f.Kind, Object: u.Object, Source: frame.SourceCI,
		}}
		l.nodes = append(l.nodes, n)
		if defined[f.Title] == nil {
			defined[f.Title] = n
		}
		if prefixed {
			l.prefixed[name] = append(l.prefixed[name], n)
		} else {
			l.public[name] = append(l.public[name], n)
		}
	}
	return defined
}

// connect adds a unit's calls.
func (l *linker) connect(u *Unit, defined map[string]*Node) {
	declared := make(map[string]string) // printable names
	for _, f := range u.Functions {
		declared[f.Title] = f.Name
	}
	resolved := make(map[string]Call)
	resolve := func(title string) Call {
		call, ok := resolved[title]
		if !ok {
			call = l.resolve(title, declared[title], defined)
			resolved[title] = call
		}
		return call
	}
	for _, site := range u.CallSites {
		caller := resolve(site.Caller).Callee
		if site.Callee == indirect {
			caller.Indirect = append(caller.Indirect, site.Position)
			continue
		}
		call := resolve(site.Callee)
		i, ok := l.edges[ends{caller, call.Callee}]
		if !ok {
			i = len(caller.Calls)
			l.edges[ends{caller, call.Callee}] = i
			caller.Calls = append(caller.Calls, call)
		}
		edge := &caller.Calls[i]
		edge.Sites++
		if edge.Site == (Position{}) {
			edge.Site = site.Position
		}
	}
}

func (l *linker) resolve(title, declared string, defined map[string]*Node) Call {
	if n := defined[title]; n != nil {
		return Call{Callee: n}
	}
	name, prefixed := symbol(title)
	if !prefixed {
		candidates := l.public[name]
		if len(candidates) == 0 {
			candidates = l.prefixed[name]
		}
		if len(candidates) > 0 {
			largest := slices.MaxFunc(candidates, func(a, b *Node) int { return cmp.Compare(a.Bytes, b.Bytes) })
			return Call{Callee: largest, Ambiguous: len(candidates) > 1}
		}
	}
	key := strings.TrimPrefix(title, "*")
	n := l.external[key]
	if n == nil {
		n = &Node{Frame: frame.Frame{Function: cmp.Or(declared, name), Symbol: name}}
		l.external[key] = n
		l.nodes = append(l.nodes, n)
	}
	return Call{Callee: n}
}
