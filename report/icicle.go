package report

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

// StackBytes is the kernel's stack on x86-64 and most arm64 configurations (THREAD_SIZE).
const StackBytes = 16 << 10

// An icicle is a drawing of paths: from top to bottom the bytes of the stack, from left to right the paths, of which those
// that begin with the same calls share the boxes of these. A box is one step of a path.
//
// The layout is in units of the paper: a box is as high as its bytes, and as wide as there are paths through it.
type icicle struct {
	boxes   []box
	ends    []pathEnd
	columns int
	bytes   int // of the deepest path
	rooms   []string
}

type box struct {
	step       callgraph.Step
	first, end int // columns
	top        int // bytes above it
	room       int // index in icicle.rooms
}

// A pathEnd is below the last box of a path.
type pathEnd struct {
	column int
	drawn
}

// A drawn path is one with a caption, which may be empty.
type drawn struct {
	callgraph.Path
	caption string
}

// maxRooms is how many directories have a colour of their own; the last colour is that of the others.
const maxRooms = 7

const otherRooms = "other"

// deepestFirst returns the paths that have steps, without captions.
func deepestFirst(paths []callgraph.Path) []drawn {
	var all []drawn
	for _, p := range paths {
		if len(p.Steps) > 0 {
			all = append(all, drawn{Path: p})
		}
	}
	slices.SortStableFunc(all, func(a, b drawn) int { return cmp.Compare(b.Bytes, a.Bytes) })
	return all
}

// layIcicle lays out paths, in their order as far as those that begin alike stay together.
func layIcicle(paths []drawn) icicle {
	tree := &branch{}
	for _, p := range paths {
		tree.add(p, p.Steps)
	}
	l := icicle{rooms: roomsOf(paths)}
	tree.lay(&l, 0, 0)
	return l
}

// A branch is the paths that begin with the same steps.
type branch struct {
	step     callgraph.Step
	branches []*branch // in the order of their first path
	ends     []drawn
}

func (b *branch) add(p drawn, rest []callgraph.Step) {
	for ; len(rest) > 0; rest = rest[1:] {
		i := slices.IndexFunc(b.branches, func(next *branch) bool { return isSameStep(next.step, rest[0]) })
		if i < 0 {
			i = len(b.branches)
			b.branches = append(b.branches, &branch{step: rest[0]})
		}
		b = b.branches[i]
	}
	b.ends = append(b.ends, p)
}

func isSameStep(a, b callgraph.Step) bool {
	return a.Frame == b.Frame && a.Bytes == b.Bytes && a.Site == b.Site
}

// lay lays out what is below a branch, from a column and a depth on, and returns the column behind it. A call chain is as long
// as a hostile file makes it, but a path has each function once.
func (b *branch) lay(l *icicle, column, depth int) int {
	for _, p := range b.ends {
		l.ends = append(l.ends, pathEnd{column, p})
		l.bytes = max(l.bytes, depth)
		column++
	}
	for _, next := range b.branches {
		at := len(l.boxes)
		l.boxes = append(l.boxes, box{step: next.step, first: column, top: depth, room: l.roomOf(next.step)})
		column = next.lay(l, column, depth+next.step.Bytes)
		l.boxes[at].end = column
	}
	l.columns = max(l.columns, column)
	return column
}

func (l *icicle) roomOf(s callgraph.Step) int {
	i := slices.Index(l.rooms, room(s))
	if i < 0 {
		return len(l.rooms) - 1
	}
	return i
}

// room is the directory of a step's source: the part of the program that it belongs to.
func room(s callgraph.Step) string {
	switch dir := filepath.Dir(s.Frame.File); {
	case s.Frame.File == "" && s.Frame.Object == "":
		return "elsewhere"
	case s.Frame.File == "":
		return filepath.Base(s.Frame.Object)
	case dir == ".":
		return "here"
	default:
		return dir
	}
}

// roomsOf returns the rooms that take most, in the order of their names, and then what stands for the others.
func roomsOf(paths []drawn) []string {
	taken := make(map[string]int)
	for _, p := range paths {
		for _, s := range p.Steps {
			taken[room(s)] += max(s.Bytes, 1)
		}
	}
	var names []string
	for name := range taken {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(taken[b], taken[a]), strings.Compare(a, b)) })
	if len(names) <= maxRooms+1 {
		slices.Sort(names)
		return names
	}
	names = names[:maxRooms]
	slices.Sort(names)
	return append(names, otherRooms)
}
