package stackcheck

import (
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// A CrossCheck compares what .su and .ci files say of the same objects: two printers of one compiler, which agree
// unless a file is stale or damaged.
type CrossCheck struct {
	Agreed    int            `json:"agreed"`               // frames that are in both, with the same size and kind
	Disagreed []Disagreement `json:"disagreed,omitempty"`  // in both, but different
	OnlyInSU  []frame.Frame  `json:"only_in_su,omitempty"` // rows of .su without a node
	OnlyInCI  []frame.Frame  `json:"only_in_ci,omitempty"` // defined nodes without a row
}

// A Disagreement is one function that the two files describe differently.
type Disagreement struct {
	SU frame.Frame `json:"su"`
	CI frame.Frame `json:"ci"`
}

// definition is what the rows of one function have in common in both files. The file's name is not part of it: newer gcc
// applies -ffile-prefix-map to .su and not to .ci. The clone's number is in neither, so that clones can share a definition.
type definition struct {
	function     string
	line, column int
}

func define(f frame.Frame) definition { return definition{f.Function, f.Line, f.Column} }

// add compares the frames of one object with its unit.
func (c *CrossCheck) add(rows []frame.Frame, unit *callgraph.Unit) {
	nodes := make(map[definition][]frame.Frame)
	for _, f := range unit.Functions {
		if !f.Defined {
			continue
		}
		node := frame.Frame{
			Function: f.Name, File: f.Position.File, Line: f.Position.Line, Column: f.Position.Column,
			Bytes: f.Bytes, Kind: f.Kind, Object: unit.Object, Source: frame.SourceCI,
		}
		nodes[define(node)] = append(nodes[define(node)], node)
	}
	// First take the pairs that agree, so that clones of different size are not compared crosswise.
	var left []frame.Frame
	for _, row := range rows {
		same := func(node frame.Frame) bool { return node.Bytes == row.Bytes && node.Kind == row.Kind }
		candidates := nodes[define(row)]
		i := slices.IndexFunc(candidates, same)
		if i < 0 {
			left = append(left, row)
			continue
		}
		nodes[define(row)] = slices.Delete(candidates, i, i+1)
		c.Agreed++
	}
	for _, row := range left {
		candidates := nodes[define(row)]
		if len(candidates) == 0 {
			c.OnlyInSU = append(c.OnlyInSU, row)
			continue
		}
		c.Disagreed = append(c.Disagreed, Disagreement{row, candidates[0]})
		nodes[define(row)] = candidates[1:]
	}
	for _, candidates := range nodes {
		c.OnlyInCI = append(c.OnlyInCI, candidates...)
	}
}

func (c *CrossCheck) sort() {
	slices.SortFunc(c.Disagreed, func(a, b Disagreement) int { return frame.Compare(a.SU, b.SU) })
	slices.SortFunc(c.OnlyInSU, frame.Compare)
	slices.SortFunc(c.OnlyInCI, frame.Compare)
}
