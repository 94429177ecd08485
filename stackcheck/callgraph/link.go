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
//  2. A symbol is otherwise what another unit defines for all, or an alias of it, which objects tell, and gcc since release 16.
//  3. A symbol that nobody defines for all is what another unit defines under its source's prefix: gcc prefixes weak and
//     comdat definitions like local ones, and so does link-time optimisation with what it moved between its partitions.
//  4. What remains is what the kernel exports, or else defines.
//  5. What remains then is external: the kernel's functions, other modules', assembly, and aliases, which gcc did not tell before release 16.
//
// Where several units match, those that export the symbol are preferred; of these the one with the largest frame is taken
// and the call is marked Ambiguous. A function of an object that is the code of one in a .ci file adds to that what
// only code tells: the depth of its calls, jumps, calls of inline assembly.
// The order of units does not matter as long as their Objects differ.
func Link(units []*Unit) *Graph { return LinkWith(units, Options{}) }

// LinkWith makes a graph as Link does, by options.
func LinkWith(units []*Unit, o Options) *Graph {
	l := linker{
		public:   make(map[string][]*Node),
		prefixed: make(map[string][]*Node),
		kernel:   make(map[string][]*Node),
		external: make(map[string]*Node),
		edges:    make(map[*Node]int),
		places:   make(map[Place]*Node),
	}
	l.wanted = wanted(units)
	units = slices.SortedStableFunc(slices.Values(units), func(a, b *Unit) int {
		return cmp.Or(strings.Compare(a.Object, b.Object), strings.Compare(a.Source, b.Source))
	})
	defined := make([]map[string]*Node, len(units))
	for i, u := range units {
		defined[i] = l.define(u)
	}
	for i, u := range units {
		l.identify(u, defined[i])
	}
	for i, u := range units {
		l.connect(u, defined[i])
	}
	return newGraphWith(l.nodes, o)
}

type linker struct {
	nodes    []*Node
	public   map[string][]*Node // definitions by symbol
	prefixed map[string][]*Node
	kernel   map[string][]*Node // public definitions of the kernel's units
	external map[string]*Node   // by title
	calls    []Call             // of the caller whose turn it is
	edges    map[*Node]int      // index in calls, by callee
	places   map[Place]*Node    // those that are wanted
	wanted   map[Place]bool     // functions of .ci files of which objects have the code
}

func wanted(units []*Unit) map[Place]bool {
	places := make(map[Place]bool)
	for _, u := range units {
		for _, f := range u.Functions {
			if f.CodeOf != nil {
				places[*f.CodeOf] = true
			}
		}
	}
	return places
}

// define adds a unit's definitions, and returns them by title.
func (l *linker) define(u *Unit) map[string]*Node {
	defined := make(map[string]*Node, len(u.Functions))
	for _, f := range u.Functions {
		if !f.Defined || f.CodeOf != nil {
			continue
		}
		name, _ := frame.SymbolOf(f.Title)
		n := &Node{Defined: true, Kernel: u.Kernel, Partly: f.Partly, chained: u.Kernel || u.Linked, prototype: f.Prototype}
		if n.Sized, n.Frame = f.frame(u.Object); n.Symbol == "" {
			n.Symbol = name
		}
		l.nodes = append(l.nodes, n)
		if defined[f.Title] == nil {
			defined[f.Title] = n
			if place := (Place{u.Object, f.Title}); l.wanted[place] {
				l.places[place] = n
			}
		}
		l.name(n, f.Title)
		l.alias(n, f.Aliases)
	}
	return defined
}

// alias has a definition be found by other titles too.
func (l *linker) alias(n *Node, titles []string) {
	for _, title := range titles {
		l.name(n, title)
		symbol, _ := frame.SymbolOf(title)
		n.Aliases = append(n.Aliases, symbol)
	}
}

// name has a definition be found by a title, also from other units.
func (l *linker) name(n *Node, title string) {
	name, local := frame.SymbolOf(title)
	if !local {
		l.publish(n, name)
		return
	}
	same := l.prefixed[name]
	if isLast := len(same) > 0 && same[len(same)-1] == n; !isLast && !n.Kernel { // a definition's names come one after the other
		l.prefixed[name] = append(same, n)
	}
}

// frame returns what is known of a function of an object, and whether its size is.
func (f *Function) frame(object string) (sized bool, told frame.Frame) {
	if f.Frame != nil {
		return f.Frame.Source != "", *f.Frame
	}
	told = frame.Frame{
		Function: f.Name, File: f.Position.File, Line: f.Position.Line, Column: f.Position.Column,
		Bytes: f.Bytes, Kind: f.Kind, Object: object, Source: frame.SourceCI,
	}
	return f.Sized, told
}

func (l *linker) publish(n *Node, symbol string) {
	all := l.public
	if n.Kernel {
		all = l.kernel
	}
	if !slices.Contains(all[symbol], n) {
		all[symbol] = append(all[symbol], n)
	}
}

// identify adds what an object tells of functions that a .ci file defines, and the uses of all.
func (l *linker) identify(u *Unit, defined map[string]*Node) {
	for _, f := range u.Functions {
		if f.CodeOf == nil {
			continue
		}
		if n := l.places[*f.CodeOf]; n != nil && defined[f.Title] == nil {
			defined[f.Title] = n
			n.Partly, n.prototype = n.Partly || f.Partly, f.Prototype
			l.alias(n, f.Aliases)
		}
	}
	for _, use := range u.Uses {
		if n := defined[use.Function]; n != nil {
			n.Uses = append(n.Uses, use)
		}
	}
}

// connect adds a unit's calls.
func (l *linker) connect(u *Unit, defined map[string]*Node) {
	declared := make(map[string]string) // printable names, of what is not defined here
	for _, f := range u.Functions {
		if !f.Defined {
			declared[f.Title] = f.Name
		}
	}
	resolved := make(map[string]Call, len(u.Functions))
	resolve := func(title string) Call {
		call, ok := resolved[title]
		if !ok {
			call = l.resolve(title, declared[title], defined)
			resolved[title] = call
		}
		return call
	}
	var (
		title  string // of the caller: sites of one stand together
		caller *Node
	)
	defer func() { l.leave(caller) }()
	for _, site := range u.CallSites {
		if caller == nil || site.Caller != title {
			l.leave(caller)
			title, caller = site.Caller, resolve(site.Caller).Callee
			l.enter(caller)
		}
		if site.Callee == indirect {
			if site.Code == nil {
				caller.Indirect = append(caller.Indirect, site.Position)
			} else {
				caller.code = append(caller.code, site.Code)
			}
			continue
		}
		call := resolve(site.Callee)
		i, ok := l.edges[call.Callee]
		if !ok {
			i = len(l.calls)
			l.edges[call.Callee] = i
			l.calls = append(l.calls, call)
		}
		edge := &l.calls[i]
		if site.Code != nil {
			edge.code.add(site.Code)
			continue
		}
		edge.Sites++
		if edge.Site == (Position{}) {
			edge.Site = site.Position
		}
	}
}

// enter begins with calls of a function, which may have some.
func (l *linker) enter(caller *Node) {
	clear(l.edges)
	l.calls = append(l.calls[:0], caller.Calls...)
	for i := range l.calls {
		l.edges[l.calls[i].Callee] = i
	}
}

// leave gives a function its calls, in a slice of their number.
func (l *linker) leave(caller *Node) {
	if caller != nil && len(l.calls) > len(caller.Calls) {
		caller.Calls = slices.Clone(l.calls)
	} else if caller != nil {
		copy(caller.Calls, l.calls)
	}
}

func (l *linker) resolve(title, declared string, defined map[string]*Node) Call {
	if n := defined[title]; n != nil {
		return Call{Callee: n}
	}
	name, prefixed := frame.SymbolOf(title)
	if !prefixed {
		for _, candidates := range [][]*Node{l.public[name], l.prefixed[name], l.kernel[name]} {
			if len(candidates) > 0 {
				return choose(candidates)
			}
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

// choose returns a call of the definition that is exported, or has the largest frame.
func choose(candidates []*Node) Call {
	exported := func(n *Node) bool {
		return slices.ContainsFunc(n.Uses, func(u *Use) bool { return u.Kind == Exported })
	}
	if slices.ContainsFunc(candidates, exported) {
		candidates = slices.DeleteFunc(slices.Clone(candidates), func(n *Node) bool { return !exported(n) })
	}
	largest := slices.MaxFunc(candidates, func(a, b *Node) int { return cmp.Compare(a.Bytes, b.Bytes) })
	return Call{Callee: largest, Ambiguous: len(candidates) > 1}
}
