package advice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/framemap"
)

// Advice is what could be done about one frame.
type Advice struct {
	Frame   frame.Frame    `json:"frame"`
	Mapped  bool           `json:"mapped"` // debug information tells what lies in it; without, there are no options
	Path    callgraph.Path `json:"path"`   // the deepest through the function
	Options []Option       `json:"options"`
	Once    Once           `json:"called_once"`
}

// An Option is one change of the source, and what would follow.
type Option struct {
	Kind   OptionKind        `json:"kind"`
	Name   string            `json:"name"` // of the function, or of the variable
	Type   string            `json:"type,omitempty"`
	From   string            `json:"from,omitempty"` // the inlined function that the variable is of
	Place  framemap.Position `json:"place,omitzero"`
	Sites  int               `json:"sites,omitempty"`  // of the calls that were inlined here
	Others int               `json:"others,omitempty"` // functions of the object into which it is inlined too, and which change as well
	Once   bool              `json:"once,omitempty"`   // it has no other caller

	SavedBytes  int  `json:"saved_bytes"`            // of the frame
	FrameBytes  int  `json:"frame_bytes"`            // that are left
	CalleeBytes int  `json:"callee_bytes,omitempty"` // of the frame of the function that is no longer inlined
	CalleeKnown bool `json:"callee_known,omitempty"` // it has code already; otherwise the bytes are an estimate

	WasPathBytes int     `json:"was_path_bytes"` // of the deepest path through the function
	PathBytes    int     `json:"path_bytes"`
	Turn         *Turn   `json:"turn,omitempty"` // nil for a function that does not recurse
	Shallower    int     `json:"shallower"`      // entries whose deepest path becomes less deep
	Deeper       int     `json:"deeper"`         // or deeper
	Verdict      Verdict `json:"verdict"`
}

// A Turn is what a recursion takes each time that it goes round: the sum of the functions of the cycle.
type Turn struct {
	WasBytes  int `json:"was_bytes"`
	Bytes     int `json:"bytes"`
	HelpsFrom int `json:"helps_from,omitempty"` // how often it has to go round for the path to get less deep, if one turn makes it deeper
}

// An OptionKind is a kind of change.
type OptionKind string

const (
	NoInline OptionKind = "noinline_for_stack" // on the function
	Heap     OptionKind = "heap"               // allocate the variable (kmem_alloc, kmalloc), which leaves a pointer
)

// A Verdict says what an option does to the deepest path through the function.
type Verdict string

const (
	Helps    Verdict = "helps"
	Hurts    Verdict = "hurts"
	Recursed Verdict = "helps when it recurses" // a path with one turn gets deeper, one with some more does not
	NoEffect Verdict = "no effect on the worst path"
)

// Once tells of the functions that were inlined only because they are called once: gcc does that whatever their size
// (-finline-functions-called-once, from -O1 on), as far as -fconserve-stack lets the frame grow.
type Once struct {
	Functions []string `json:"functions,omitempty"` // that have variables in the frame
	Bytes     int      `json:"bytes"`               // that the frame would be less by without all of them
	All       bool     `json:"all,omitempty"`       // gcc compiled it, and no other inlined function takes any bytes beside the function's own

	ConserveStack bool `json:"conserve_stack"` // the object was compiled with -fconserve-stack
}

// Bounds on what is an option: less is not worth a change of the source.
const (
	leastBytes     = 16 // that noinline saves
	leastHeapBytes = 64 // of a variable
	mostOptions    = 8  // of each kind
)

// Advise tells for each function what could be done about its frame. Beside is what the build's graph was
// made with, see stackcheck.Build.With.
func Advise(b stackcheck.Build, maps Maps, beside stackcheck.Beside, functions []*callgraph.Node) []Advice {
	a := adviser{root: b.Root, maps: maps, model: newModel(b.Graph, beside), graph: b.Graph, inlined: make(map[*framemap.Map][]framemap.Inlined)}
	var all []Advice
	for _, n := range functions {
		all = append(all, a.advise(n))
	}
	return all
}

type adviser struct {
	root  string
	maps  Maps
	model *model
	graph *callgraph.Graph

	inlined map[*framemap.Map][]framemap.Inlined
}

// inlinedInto returns the functions that were inlined into a map's.
func (a *adviser) inlinedInto(m *framemap.Map) []framemap.Inlined {
	all, ok := a.inlined[m]
	if !ok {
		all = m.InlinedFunctions()
		a.inlined[m] = all
	}
	return all
}

func (a *adviser) advise(n *callgraph.Node) Advice {
	found := Advice{Frame: n.Frame, Path: a.graph.WorstThrough(n), Options: []Option{}}
	m := a.maps.Of(n)
	if m == nil {
		return found
	}
	found.Mapped = true
	inlined := a.inlinedInto(m)
	found.Once = a.once(n, m, inlined)
	for i := range inlined {
		if inlined[i].MarginalBytes < leastBytes || len(found.Options) == mostOptions {
			break
		}
		if a.isOurs(inlined[i].Place) {
			found.Options = append(found.Options, a.noInline(n, &inlined[i]))
		}
	}
	if all := a.together(m, inlined); len(all) > 1 {
		found.Options = append(found.Options, a.noInline(n, all...))
	}
	large := slices.DeleteFunc(variables(m), func(v Variable) bool { return v.MarginalBytes < leastHeapBytes })
	slices.SortStableFunc(large, func(x, y Variable) int { return cmp.Compare(y.MarginalBytes, x.MarginalBytes) })
	for _, v := range large[:min(len(large), mostOptions)] {
		found.Options = append(found.Options, a.heap(n, v))
	}
	slices.SortStableFunc(found.Options, func(x, y Option) int {
		return cmp.Or(cmp.Compare(x.PathBytes, y.PathBytes), cmp.Compare(y.SavedBytes, x.SavedBytes))
	})
	return found
}

// mostTogether bounds how many functions are looked at together.
const mostTogether = 16

// together returns the functions, none of them inlined into another, that take much more together than each by itself: they share
// bytes of the frame. None if there are no such.
func (a *adviser) together(m *framemap.Map, inlined []framemap.Inlined) []*framemap.Inlined {
	var all []*framemap.Inlined
	alone := 0
	for i := range inlined {
		one := &inlined[i]
		if one.Bytes < leastBytes || !a.isOurs(one.Place) || !slices.Equal(one.Into, []string{m.Function}) {
			continue
		}
		if alone = max(alone, one.MarginalBytes); len(all) < mostTogether {
			all = append(all, one)
		}
	}
	if savedBy(m, all) < alone+leastBytes {
		return nil
	}
	return all
}

// isOurs reports whether a function's source is the build's to change, and not a header of the kernel.
func (a *adviser) isOurs(p framemap.Position) bool {
	return a.root == "" || !strings.HasPrefix(p.File, "/")
}

// pointerBytes is what remains of a variable that is on the heap.
const pointerBytes = 8

// heap tells what becomes of a frame without a variable.
func (a *adviser) heap(n *callgraph.Node, v Variable) Option {
	o := Option{Kind: Heap, Name: v.Name, Type: v.Type, From: v.From, Place: v.Place, SavedBytes: wholeSlots(v.MarginalBytes) - pointerBytes}
	a.judge(n, &o, []change{{node: n, bytes: max(n.Bytes-o.SavedBytes, 0)}})
	return o
}

// wholeSlots returns how many bytes a frame shrinks by when so many are no longer needed: stack pointers move by slots of 8.
func wholeSlots(bytes int) int { return bytes &^ 7 }

// noInline tells what becomes of a frame, and of those of other functions of its object, when some functions are no longer inlined.
func (a *adviser) noInline(n *callgraph.Node, all ...*framemap.Inlined) Option {
	o := Option{Kind: NoInline, SavedBytes: savedBy(a.maps.Of(n), all), CalleeKnown: true, Place: all[0].Place, Once: true}
	o.SavedBytes = min(o.SavedBytes, n.Bytes)
	var names []string
	var separates, created []*separate
	for number, i := range all {
		names = append(names, i.Function)
		o.Sites += len(i.Sites)
		o.Once = o.Once && a.isOnce(n, i)
		one := a.separate(n, i, number)
		if separates = append(separates, one); !one.known {
			created = append(created, one)
		}
		o.CalleeBytes, o.CalleeKnown = max(o.CalleeBytes, one.bytes), o.CalleeKnown && one.known
	}
	o.Name = strings.Join(names, ", ")
	var changes []change
	for _, fn := range a.maps.unit[n] {
		c := change{node: fn.node, bytes: max(fn.node.Bytes-savedBy(fn.m, all), 0)}
		for k, i := range all {
			if slices.ContainsFunc(a.inlinedInto(fn.m), i.Same) && separates[k].title != title(a.model.number[fn.node]) {
				v := moved{separate: separates[k]}
				v.inside, v.left = callsOf(fn.m, i, all)
				c.moved = append(c.moved, v)
			}
		}
		if len(c.moved) == 0 {
			continue
		}
		if changes = append(changes, c); fn.node != n {
			o.Others++
		}
	}
	a.judge(n, &o, changes, created...)
	return o
}

// savedBy returns how many bytes of a frame only the bodies of some inlined functions take.
func savedBy(m *framemap.Map, all []*framemap.Inlined) int {
	isOne := func(s *framemap.Scope) bool {
		return slices.ContainsFunc(all, func(i *framemap.Inlined) bool { return i.Is(s) })
	}
	return wholeSlots(framemap.Bytes(m.Covered(nil)) - framemap.Bytes(m.Covered(isOne)))
}

// separate returns what becomes of a function that is no longer inlined: the code that it has, or a new function.
func (a *adviser) separate(n *callgraph.Node, i *framemap.Inlined, number int) *separate {
	if code := a.codeOf(n, i); code != nil {
		return &separate{title: title(a.model.number[code]), function: i.Function, bytes: code.Bytes, known: true}
	}
	one := &separate{title: fmt.Sprintf("#new%d", number), function: i.Function}
	for _, fn := range a.maps.unit[n] {
		all := a.inlinedInto(fn.m)
		if at := slices.IndexFunc(all, i.Same); at >= 0 {
			one.bytes = max(one.bytes, calleeBytes(fn.m, fn.node, &all[at]))
		}
	}
	return one
}

// calleeBytes estimates the frame of a function that has none of its own yet: its variables, and as much beside them as the
// frame has that it was inlined into, where it and the rest of the body share registers that are saved, spills and arguments that are
// pushed. That is mostly more than it will be: an upper estimate, so that nothing is said to help that does not.
func calleeBytes(m *framemap.Map, n *callgraph.Node, i *framemap.Inlined) int {
	s := shares(m, n.Frame)
	return wholeSlots(i.Bytes + s.Return + s.Rest + pointerBytes - 1)
}

// codeOf returns the function as it stands in the object beside its inlined bodies, or nil.
func (a *adviser) codeOf(n *callgraph.Node, i *framemap.Inlined) *callgraph.Node {
	for _, fn := range a.maps.unit[n] {
		if fn.m.Function == i.Function && fn.m.Place == i.Place && !strings.Contains(fn.m.Symbol, ".part.") {
			return fn.node
		}
	}
	return nil
}

// judge fills in what the changes do to paths.
func (a *adviser) judge(n *callgraph.Node, o *Option, changes []change, created ...*separate) {
	before, after := a.model.now, a.model.with(changes, created...)
	o.FrameBytes = n.Bytes - o.SavedBytes
	was, is := before.WorstThrough(before.find(n)), after.WorstThrough(after.find(n))
	o.WasPathBytes, o.PathBytes = was.Bytes, is.Bytes
	o.Turn = turnOf(before.find(n), was, is)
	for _, entry := range before.Entries() {
		counterpart := after.find(entry)
		if counterpart == nil {
			continue
		}
		switch depth := before.DepthFrom(entry); {
		case after.DepthFrom(counterpart) < depth:
			o.Shallower++
		case after.DepthFrom(counterpart) > depth:
			o.Deeper++
		}
	}
	switch {
	case o.PathBytes < o.WasPathBytes:
		o.Verdict = Helps
	case o.PathBytes > o.WasPathBytes:
		o.Verdict = Hurts
	default:
		o.Verdict = NoEffect
	}
	if t := o.Turn; t != nil && o.Verdict == Hurts && t.Bytes < t.WasBytes && !a.hasTurns(is, n) {
		o.Verdict = Recursed
		t.HelpsFrom = 2 + (o.PathBytes-o.WasPathBytes)/(t.WasBytes-t.Bytes)
	}
}

// hasTurns reports whether the path is charged as many turns of the function's cycle as are given, and not one.
func (a *adviser) hasTurns(p callgraph.Path, n *callgraph.Node) bool {
	return slices.ContainsFunc(p.Steps, func(s callgraph.Step) bool {
		return s.Turns > 0 && slices.ContainsFunc(s.Cycle, func(f frame.Frame) bool { return isFrameOf(f, n) })
	})
}

func isFrameOf(f frame.Frame, n *callgraph.Node) bool {
	return f.Symbol == n.Symbol && f.Object == n.Object && f.Line == n.Line
}

// turnOf returns what the cycle takes that a function is in, before and after.
func turnOf(n *callgraph.Node, was, is callgraph.Path) *Turn {
	var t Turn
	for _, s := range was.Steps {
		if len(s.Cycle) > 0 && isStepOf(s, n) {
			t.WasBytes = sumOf(s.Cycle)
		}
	}
	if t.WasBytes == 0 {
		return nil
	}
	for _, s := range is.Steps {
		if slices.ContainsFunc(s.Cycle, func(f frame.Frame) bool { return isFrameOf(f, n) }) {
			t.Bytes = sumOf(s.Cycle)
		}
	}
	return &t
}

func sumOf(frames []frame.Frame) int {
	sum := 0
	for _, f := range frames {
		sum += f.Bytes
	}
	return sum
}

// once tells which of the inlined functions are called once.
func (a *adviser) once(n *callgraph.Node, m *framemap.Map, inlined []framemap.Inlined) Once {
	o := Once{ConserveStack: strings.Contains(m.Compiler, "-fconserve-stack")}
	var once []*framemap.Inlined
	for i := range inlined {
		if inlined[i].Bytes > 0 && a.isOnce(n, &inlined[i]) {
			once = append(once, &inlined[i])
			o.Functions = append(o.Functions, inlined[i].Function)
		}
	}
	without := framemap.Bytes(m.Covered(func(s *framemap.Scope) bool {
		return slices.ContainsFunc(once, func(i *framemap.Inlined) bool { return i.Is(s) })
	}))
	o.Bytes = framemap.Bytes(m.Covered(nil)) - without
	o.All = o.Bytes > 0 && strings.HasPrefix(m.Compiler, "GNU ") && without == framemap.Bytes(m.Own())
	return o
}

// isOnce reports whether a function has one caller in its object, into which it was inlined, and none elsewhere.
func (a *adviser) isOnce(n *callgraph.Node, i *framemap.Inlined) bool {
	if !i.Local || len(i.Sites) != 1 || a.codeOf(n, i) != nil {
		return false
	}
	for _, fn := range a.maps.unit[n] {
		found := false
		if fn.node == n {
			continue
		}
		fn.m.Walk(func(chain []*framemap.Scope) bool {
			found = found || i.Is(chain[len(chain)-1])
			return !found
		})
		if found {
			return false
		}
	}
	return true
}
