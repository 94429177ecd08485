package stackcheck

import (
	"fmt"
	"path"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// A crossCheck compares what the .su and .ci files of one object say: two printers of one compilation. Those of gcc 12 to 17 agree in all
// functions, so that any difference tells that one of them was left by another compilation.
type crossCheck struct {
	agreed, resized, onlySU, onlyCI int    // functions
	example                         string // of one of which they differ
}

// definition is what the rows of one function have in common in both files. The file's name is not part of it: newer gcc
// applies -ffile-prefix-map to .su and not to .ci. The clone's number is in neither, so that clones can share a definition.
type definition struct {
	function     string
	line, column int
}

func defined(f frame.Frame) definition { return definition{f.Function, f.Line, f.Column} }

func definedNode(f *callgraph.Function) definition {
	return definition{f.Name, f.Position.Line, f.Position.Column}
}

type size struct {
	bytes int
	kind  frame.Kind
}

func (s size) String() string { return fmt.Sprintf("%d bytes, %s", s.bytes, s.kind) }

// anySize is that of a node that gcc was not told to write one into.
var anySize = size{bytes: -1}

// compareTexts compares the frames of one object with its unit.
func compareTexts(rows []frame.Frame, unit *callgraph.Unit) (c crossCheck) {
	nodes := make(map[definition][]size)
	for _, f := range unit.Functions {
		if !f.Defined {
			continue
		}
		s := anySize
		if f.Sized {
			s = size{f.Bytes, f.Kind}
		}
		nodes[definedNode(f)] = append(nodes[definedNode(f)], s)
	}
	// First take the pairs that agree, so that clones of different size are not compared crosswise.
	var left []frame.Frame
	for _, row := range rows {
		d := defined(row)
		i := slices.IndexFunc(nodes[d], func(s size) bool { return s == anySize || s == size{row.Bytes, row.Kind} })
		if i < 0 {
			left = append(left, row)
			continue
		}
		nodes[d] = slices.Delete(nodes[d], i, i+1)
		c.agreed++
	}
	for _, row := range left {
		d := defined(row)
		if others := nodes[d]; len(others) > 0 {
			c.resized++
			c.note(fmt.Sprintf("%s (%v, and %v)", row.Function, size{row.Bytes, row.Kind}, others[0]))
			nodes[d] = others[1:]
			continue
		}
		c.onlySU++
		c.note(row.Function)
	}
	for _, f := range unit.Functions {
		if n := len(nodes[definedNode(f)]); f.Defined && n > 0 {
			c.onlyCI += n
			c.note(f.Name)
			delete(nodes, definedNode(f))
		}
	}
	return c
}

func (c *crossCheck) note(example string) {
	if c.example == "" {
		c.example = example
	}
}

// err is nil if all agree.
func (c *crossCheck) err(su, ci string) error {
	if c.example == "" {
		return nil
	}
	return fmt.Errorf("%s: not of the compilation that %s is of: functions of another size: %d, only here: %d, only there: %d, such as %s; rebuild the object",
		su, path.Base(ci), c.resized, c.onlySU, c.onlyCI, c.example)
}

// crossCheckTexts compares what there is of an object in both files, of those that were read wholly, and returns of how many functions they agree.
func crossCheckTexts(texts []*text) (agreed int, failed []error) {
	units := make(map[string]*text)
	for _, t := range texts {
		if t.unit != nil && t.err == nil {
			units[t.unit.Object] = t
		}
	}
	for _, t := range texts {
		if t.object == nil || t.err != nil || units[t.object.name] == nil {
			continue
		}
		ci := units[t.object.name]
		c := compareTexts(t.object.frames, ci.unit)
		agreed += c.agreed
		if err := c.err(t.name, ci.name); err != nil {
			failed = append(failed, err)
		}
	}
	return agreed, failed
}
