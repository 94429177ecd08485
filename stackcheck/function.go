package stackcheck

import (
	"fmt"
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
// computed from the machine code, knows a frame that grows at run time only in part.
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
var Sources = []frame.Source{frame.SourceSU, frame.SourceCI, frame.SourceStackSizes, frame.SourceORC}

func sortBySource(frames []frame.Frame) {
	slices.SortStableFunc(frames, func(a, b frame.Frame) int {
		return slices.Index(Sources, a.Source) - slices.Index(Sources, b.Source)
	})
}

// A claim is what one file tells of a function: its frames, if it has any, and how it can be recognised.
type claim struct {
	frames []frame.Frame
	object string
	symbol *object.Function // of an object; nil for what .su and .ci files tell
}

// names returns what the function may be called by others, see canonical.
func (c claim) names() []string {
	if c.symbol == nil {
		f := c.frames[0]
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
		return []string{stem(c.object), stem(c.frames[0].File)}
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
	d := define(c.frames[0])
	return []string{fmt.Sprintf("%s\x00%s:%d:%d", c.object, d.function, d.line, d.column)}
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
	if len(g.groups) == 0 {
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
		group.frames = append(group.frames, c.frames...)
	}
	return left
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

// functions returns what is known of each function, and the functions whose size nothing tells.
func (g *grouping) functions() (sized []Function, unsized []frame.Frame) {
	for _, c := range g.groups {
		if len(c.frames) == 0 {
			unsized = append(unsized, frame.Frame{Function: c.symbol.Symbol, Symbol: c.symbol.Symbol, File: c.symbol.File, Object: c.object})
			continue
		}
		if len(c.frames) > 1 {
			sortBySource(c.frames)
		}
		sized = append(sized, Function{c.frames})
	}
	slices.SortFunc(sized, func(a, b Function) int { return frame.Compare(a.Frames[0], b.Frames[0]) })
	slices.SortFunc(unsized, frame.Compare)
	return sized, unsized
}

// nodeFrames returns the frames of a unit's functions, which a .ci file has when gcc was told to write sizes into it.
func nodeFrames(u *callgraph.Unit) []frame.Frame {
	var frames []frame.Frame
	for _, f := range u.Functions {
		if f.Defined && f.Sized {
			frames = append(frames, frame.Frame{
				Function: f.Name, Symbol: strings.TrimPrefix(f.Title, u.Source+":"),
				File: f.Position.File, Line: f.Position.Line, Column: f.Position.Column,
				Bytes: f.Bytes, Kind: f.Kind, Object: u.Object, Source: frame.SourceCI,
			})
		}
	}
	return frames
}
