package advice

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/kmod"
	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/framemap"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

// Maps are the maps of functions of a build.
type Maps struct {
	of   map[*callgraph.Node]*framemap.Map
	unit map[*callgraph.Node][]unitFunction // all of the object that has the map
}

// A unitFunction is a function of an object, and its node.
type unitFunction struct {
	node *callgraph.Node
	m    *framemap.Map
}

// Of returns the map of a function, or nil when no object has debug information of it.
func (m Maps) Of(n *callgraph.Node) *framemap.Map { return m.of[n] }

// ReadMaps reads the maps of functions of a build's graph from the objects at the paths that the build was read from. Of an object
// that the function was compiled into and modules that it was linked into, the first is taken that has debug information. That
// none has is no error; what cannot be read is, and the others are read all the same.
func ReadMaps(b stackcheck.Build, wanted []*callgraph.Node, paths ...string) (Maps, error) {
	r := mapReader{
		maps:  Maps{of: make(map[*callgraph.Node]*framemap.Map), unit: make(map[*callgraph.Node][]unitFunction)},
		nodes: make(map[string][]*callgraph.Node), missing: make(map[string][]*callgraph.Node), root: b.Root,
	}
	for _, n := range b.Graph.Nodes {
		if n.Defined && !n.Kernel {
			r.nodes[n.Symbol] = append(r.nodes[n.Symbol], n)
		}
	}
	objects := make(map[string]bool)
	for _, n := range wanted {
		r.missing[n.Symbol] = append(r.missing[n.Symbol], n)
		objects[n.Object] = true
	}
	var files []stackcheck.File
	for _, name := range paths {
		for file, err := range stackcheck.Files(name) {
			if err == nil && !file.Archived { // what is wrong with the build is told by Read
				files = append(files, file)
			}
		}
	}
	rank := func(f stackcheck.File) int {
		switch {
		case objects[f.Path] && path.Ext(f.Path) == ".o":
			return 0
		case path.Ext(f.Path) == ".o":
			return 1
		}
		return 2
	}
	slices.SortStableFunc(files, func(a, b stackcheck.File) int { return rank(a) - rank(b) })
	var failed []error
	for _, file := range files {
		if len(r.missing) == 0 {
			break
		}
		if err := r.read(file); err != nil {
			failed = append(failed, fmt.Errorf("reading debug information: %w", err))
		}
	}
	return r.maps, errors.Join(failed...)
}

type mapReader struct {
	maps    Maps
	nodes   map[string][]*callgraph.Node // of the graph, by symbol
	missing map[string][]*callgraph.Node // of these, those that are wanted and have no map yet
	root    string
}

func (r *mapReader) read(file stackcheck.File) error {
	input, size, closeInput, err := kmod.Open(file.Name)
	if err != nil {
		return err
	}
	defer closeInput()
	f, err := object.Open(input, size, file.Name)
	if err != nil { // no object, or one that Read has told of
		return nil
	}
	isWanted := func(fn object.Function) bool {
		return slices.ContainsFunc(r.missing[fn.Symbol], func(n *callgraph.Node) bool { return mayBe(n, file.Path) })
	}
	if !slices.ContainsFunc(f.Functions(), isWanted) {
		return nil
	}
	read, err := framemap.Read(input, f, isWanted)
	if errors.Is(err, framemap.ErrNone) {
		return nil
	}
	var unit []unitFunction
	for _, m := range read {
		makeRelative(&m.Scope, r.root)
		if n := r.find(m, file.Path); n != nil {
			unit = append(unit, unitFunction{n, m})
		}
	}
	for _, fn := range unit {
		if r.maps.of[fn.node] == nil {
			r.maps.of[fn.node], r.maps.unit[fn.node] = fn.m, unit
			r.found(fn.node)
		}
	}
	return err
}

func (r *mapReader) found(n *callgraph.Node) {
	left := slices.DeleteFunc(r.missing[n.Symbol], func(m *callgraph.Node) bool { return m == n })
	if r.missing[n.Symbol] = left; len(left) == 0 {
		delete(r.missing, n.Symbol)
	}
}

// mayBe reports whether a function of that name in a file can be a node: several objects may have local functions of one name.
func mayBe(n *callgraph.Node, file string) bool {
	return n.Object == file || path.Ext(file) != ".o" || path.Ext(n.Object) != ".o"
}

// find returns the node that a map is about: of its object, or else of its file.
func (r *mapReader) find(m *framemap.Map, file string) *callgraph.Node {
	candidates := r.nodes[m.Symbol]
	for _, n := range candidates {
		if n.Object == file && (n.Line == 0 || n.Line == m.Place.Line || len(candidates) == 1) {
			return n
		}
	}
	var found *callgraph.Node
	for _, n := range candidates {
		same := path.Base(n.File) == path.Base(m.Place.File) && (n.Line == 0 || n.Line == m.Place.Line)
		if n.Object == file || !same && !(n.File == "" && len(candidates) == 1) {
			continue
		}
		if found != nil {
			return nil
		}
		found = n
	}
	return found
}

// makeRelative makes the files of a scope's positions relative to the build's root.
func makeRelative(s *framemap.Scope, root string) {
	relative := func(p *framemap.Position) {
		if p.File == "" {
			return
		}
		p.File = path.Clean(p.File)
		if root != "" {
			p.File = strings.TrimPrefix(p.File, root+"/")
		}
	}
	s.Walk(func(chain []*framemap.Scope) bool {
		last := chain[len(chain)-1]
		relative(&last.Place)
		relative(&last.Site)
		for i := range last.Variables {
			relative(&last.Variables[i].Place)
		}
		return true
	})
}

// framesOf returns what each source tells of a function, the best first.
func framesOf(b stackcheck.Build, n *callgraph.Node) []frame.Frame {
	for _, fn := range b.Functions {
		for _, f := range fn.Frames {
			if f.Object == n.Object && f.Line == n.Line && f.Source == n.Source && f.Bytes == n.Bytes &&
				(f.Symbol == n.Symbol || f.Symbol == "" && f.Function == n.Function) {
				return fn.Frames
			}
		}
	}
	return []frame.Frame{n.Frame}
}
