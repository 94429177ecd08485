package stackcheck

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// A Function is one function of a build, with its frame as each source tells it, the best source first: .su is
// the compiler's own word with the place in the source code, .ci the same without clang's, .stack_sizes has no place, and ORC,
// computed from the machine code, knows a frame that grows at run time only in part. So does the code itself, which is followed
// where a module or a kernel has nothing else.
type Function struct {
	Frames []frame.Frame `json:"frames"` // one of a source
}

// From returns what a source tells of the function, or nil.
func (f Function) From(source frame.Source) *frame.Frame {
	for i := range f.Frames {
		if f.Frames[i].Source == source {
			return &f.Frames[i]
		}
	}
	return nil
}

// Sources are all that are read, the best first.
var Sources = []frame.Source{frame.SourceSU, frame.SourceCI, frame.SourceStackSizes, frame.SourceORC, frame.SourceCode}

func sortBySource(frames []frame.Frame) {
	slices.SortStableFunc(frames, func(a, b frame.Frame) int {
		return slices.Index(Sources, a.Source) - slices.Index(Sources, b.Source)
	})
}

// A claim is what one file tells of a function: its frames, if it has any, and how it can be recognised.
type claim struct {
	frames []frame.Frame
	object string
	name   *frame.Frame     // of what .su and .ci files tell: who and where it is
	symbol *object.Function // of an object; nil for what .su and .ci files tell

	node    *callgraph.Place      // in a .ci file, nil for none
	defined *callgraph.Function   // there
	code    []*callgraph.Function // in objects
}

// appendClaims appends what .su and .ci files tell, each frame a claim. A .ci file may tell no size.
func appendClaims(all []claim, frames []frame.Frame) []claim {
	for i := range frames {
		c := claim{object: frames[i].Object, name: &frames[i]}
		if c.name.Source != "" {
			c.frames = frames[i : i+1 : i+1]
		}
		all = append(all, c)
	}
	return all
}

// names returns what the function may be called by others, see canonical.
func (c claim) names() []string {
	if c.symbol == nil {
		f := c.name
		if f.Symbol == "" || f.Symbol == f.Function {
			return []string{canonical(f.Function)}
		}
		return []string{canonical(f.Function), canonical(f.Symbol)}
	}
	names := []string{canonical(c.symbol.Symbol)}
	for _, alias := range c.symbol.Aliases {
		names = append(names, canonical(alias))
	}
	return names
}

// units returns, without extension, the files that the function may have been compiled from; none when that is not known.
func (c claim) units() []string {
	switch {
	case c.symbol == nil:
		return []string{stem(c.object), stem(c.name.File)}
	case c.symbol.File != "":
		return []string{stem(c.symbol.File)}
	case !isLinked(c.object):
		return []string{stem(c.object)}
	}
	return nil
}

func stem(name string) string {
	base := path.Base(name)
	return strings.TrimSuffix(base, path.Ext(base))
}

// canonical returns a symbol as all sources can tell it: gcc prints f.constprop.0.isra.0 as f.constprop.isra in .su, f.part.0
// as it is, and what link-time optimisation made of f (f.lto_priv.0) as f.
func canonical(symbol string) string {
	base, suffixes, ok := strings.Cut(symbol, ".")
	if !ok || base == "" {
		return symbol
	}
	var b strings.Builder
	b.WriteString(base)
	for suffix := range strings.SplitSeq(suffixes, ".") {
		if suffix != "lto_priv" && strings.Trim(suffix, "0123456789") != "" {
			b.WriteByte('.')
			b.WriteString(suffix)
		}
	}
	return b.String()
}

// grouping finds the claims that are about the same function.
type grouping struct {
	groups []*claim
}

// A recognition returns by what names a claim can be recognised.
type recognition func(claim) []string

// byDefinition recognises what .su and .ci files of one object print of a function, see definition.
func byDefinition(c claim) []string {
	d := defined(*c.name)
	return []string{c.object + "\x00" + d.function + ":" + strconv.Itoa(d.line) + ":" + strconv.Itoa(d.column)}
}

// byUnit recognises local functions by the file that they were compiled from.
func byUnit(c claim) []string {
	var keys []string
	for _, unit := range c.units() {
		for _, name := range c.names() {
			keys = append(keys, unit+"\x00"+name)
		}
	}
	return keys
}

// byName recognises functions by their name alone: global ones, and local ones of objects that do not tell files. What .su
// and .ci files tell may be about either.
func byName(c claim) []string {
	if c.symbol != nil && c.symbol.Local && c.units() != nil {
		return nil
	}
	return c.names()
}

// add takes claims of one kind. Each that is about a function that is known, and of which its sources tell nothing yet, is
// added to that; others are functions of their own. No two of the claims are about the same function. Of several functions
// that a claim could be about, such as clones, it is one of the same size, and otherwise the first.
func (g *grouping) add(claims []claim, recognitions ...recognition) {
	left := claims
	taken := make(map[*claim]bool)
	for _, keys := range recognitions {
		left = g.match(left, taken, func(c claim) []string { return withSizes(c, keys(c)) })
		left = g.match(left, taken, keys)
	}
	g.groups = slices.Grow(g.groups, len(left))
	for i := range left {
		g.groups = append(g.groups, &left[i])
	}
}

// match adds claims to groups that are not taken, and returns those that it could not add.
func (g *grouping) match(claims []claim, taken map[*claim]bool, keys recognition) []claim {
	if len(g.groups) == 0 || len(claims) == 0 {
		return claims
	}
	index := make(map[string][]*claim)
	for _, group := range g.groups {
		for _, key := range keys(*group) {
			index[key] = append(index[key], group)
		}
	}
	var left []claim
	for _, c := range claims {
		group := find(c, index, taken, keys)
		if group == nil {
			left = append(left, c)
			continue
		}
		taken[group] = true
		group.take(c)
	}
	return left
}

// take adds what another claim tells of the same function.
func (c *claim) take(other claim) {
	c.frames = append(c.frames, other.frames...)
	c.code = append(c.code, other.code...)
	if c.node == nil {
		c.node, c.defined = other.node, other.defined
	}
}

func find(c claim, index map[string][]*claim, taken map[*claim]bool, keys recognition) *claim {
	for _, key := range keys(c) {
		for len(index[key]) > 0 && taken[index[key][0]] {
			index[key] = index[key][1:]
		}
		for _, group := range index[key] {
			if !taken[group] && group.lacks(c) {
				return group
			}
		}
	}
	return nil
}

// lacks reports whether none of the other's sources has told of c.
func (c claim) lacks(other claim) bool {
	for _, f := range other.frames {
		if slices.ContainsFunc(c.frames, func(own frame.Frame) bool { return own.Source == f.Source }) {
			return false
		}
	}
	return true
}

func withSizes(c claim, keys []string) []string {
	var all []string
	for _, key := range keys {
		for _, f := range c.frames {
			all = append(all, key+"\x00"+strconv.Itoa(f.Bytes))
		}
	}
	return all
}

// functions returns what is known of each function, in no order, and the functions whose size nothing tells.
func (g *grouping) functions() (sized []Function, unsized []frame.Frame) {
	sized = make([]Function, 0, len(g.groups))
	for _, c := range g.groups {
		if len(c.frames) == 0 && c.symbol == nil {
			continue
		}
		if len(c.frames) == 0 {
			unsized = append(unsized, c.unsized())
			continue
		}
		if len(c.frames) > 1 {
			sortBySource(c.frames)
			c.addUncounted()
		}
		sized = append(sized, Function{c.frames})
	}
	slices.SortFunc(unsized, frame.Compare)
	return sized, unsized
}

// appendNodes appends what a .ci file tells: frames too when gcc was told to write sizes into it.
func appendNodes(all []claim, u *callgraph.Unit) []claim {
	told := make([]frame.Frame, 0, len(u.Functions))
	first := len(all)
	var defined []*callgraph.Function
	for _, f := range u.Functions {
		if !f.Defined {
			continue
		}
		symbol, _ := frame.SymbolOf(f.Title)
		node := frame.Frame{
			Function: f.Name, Symbol: symbol,
			File: f.Position.File, Line: f.Position.Line, Column: f.Position.Column,
			Bytes: f.Bytes, Kind: f.Kind, Object: u.Object,
		}
		if f.Sized {
			node.Source = frame.SourceCI
		}
		told, defined = append(told, node), append(defined, f)
	}
	all = appendClaims(all, told)
	for i, f := range defined {
		all[first+i].node, all[first+i].defined = &callgraph.Place{Object: u.Object, Title: f.Title}, f
	}
	return all
}

// addUncounted corrects what compilers leave out of what code tells: gcc a part of what rounding the stack pointer down takes, and clang that and the
// arguments that are pushed for calls.
func (c *claim) addUncounted() {
	code := cmp.Or(Function{c.frames}.From(frame.SourceORC), Function{c.frames}.From(frame.SourceCode))
	if code == nil {
		return
	}
	most := code.Bytes + code.RealignBytes
	for i := range c.frames {
		f := &c.frames[i]
		if f.Kind == frame.Dynamic || f.Bytes >= most || !f.IsClang() && !(f.IsGCC() && code.RealignBytes > 0) {
			continue
		}
		f.AddedBytes += most - f.Bytes
		f.Bytes = most
		if f.Source == frame.SourceCI {
			c.defined.Frame = f
		}
	}
}

// tellCode tells the functions of objects what other sources know of them.
func (g *grouping) tellCode() {
	for _, c := range g.groups {
		for _, fn := range c.code {
			if fn.CodeOf = c.node; c.node != nil {
				continue
			}
			told := c.unsized()
			if len(c.frames) > 0 {
				told = c.frames[0]
			}
			fn.Frame = &told
		}
	}
}

// unsized returns what is known of a function whose size nothing tells.
func (c *claim) unsized() frame.Frame {
	if c.symbol == nil {
		return *c.name
	}
	return frame.Frame{Function: c.symbol.Symbol, Symbol: c.symbol.Symbol, File: c.symbol.File, Object: c.object}
}
