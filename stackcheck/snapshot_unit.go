package stackcheck

import (
	"fmt"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// unitJSON is a unit in a snapshot. Calls are listed by caller, in the order of the .ci file, in which those of one
// caller stand together.
type unitJSON struct {
	Object    string         `json:"object,omitempty"`
	Source    string         `json:"source,omitempty"`
	Linked    bool           `json:"linked,omitempty"`
	Functions []functionJSON `json:"functions"`
	Callers   []callerJSON   `json:"callers"`
	Uses      []useJSON      `json:"uses,omitempty"`
}

// functionJSON is a function that a unit defines, with its frame, or only names.
type functionJSON struct {
	Title    string             `json:"title"`
	Name     string             `json:"name,omitempty"` // when it is not the title
	Position callgraph.Position `json:"position,omitzero"`
	Defined  bool               `json:"defined,omitempty"`
	Bytes    *int               `json:"bytes,omitempty"` // nil when it is not known
	Kind     frame.Kind         `json:"kind,omitempty"`

	// of an object
	Frame   *frame.Frame     `json:"frame,omitempty"`
	Aliases []string         `json:"aliases,omitempty"`
	CodeOf  *callgraph.Place `json:"code_of,omitempty"`
	Partly  bool             `json:"partly,omitempty"`

	Prototype string `json:"prototype,omitempty"`
}

type callerJSON struct {
	Title string     `json:"title"`
	Calls []callJSON `json:"calls"`
}

type callJSON struct {
	Callee   string             `json:"callee"` // title
	Position callgraph.Position `json:"position,omitzero"`
	Code     *codeJSON          `json:"code,omitempty"` // of an object
}

type codeJSON struct {
	Depth *int      `json:"depth,omitempty"` // nil when it is not known
	Tail  bool      `json:"tail,omitempty"`
	Slot  *slotJSON `json:"slot,omitempty"` // nil when it is not known

	Prototype string `json:"prototype,omitempty"` // of the pointer
}

type slotJSON struct {
	Table  string `json:"table,omitempty"`
	Offset int    `json:"offset"`
}

type useJSON struct {
	Function string            `json:"function"` // title
	Kind     callgraph.UseKind `json:"kind"`
	Holder   string            `json:"holder,omitempty"`
	Offset   int               `json:"offset,omitempty"`
	PassedTo string            `json:"passed_to,omitempty"`
}

func newCodeJSON(c *callgraph.Code) *codeJSON {
	if c == nil {
		return nil
	}
	j := &codeJSON{Tail: c.Tail, Prototype: c.Prototype}
	if c.Measured {
		j.Depth = &c.Depth
	}
	if c.Slot.Known {
		j.Slot = &slotJSON{c.Slot.Table, c.Slot.Offset}
	}
	return j
}

func (j *codeJSON) code() (*callgraph.Code, error) {
	if j == nil {
		return nil, nil
	}
	c := &callgraph.Code{Tail: j.Tail, Prototype: j.Prototype}
	if j.Depth != nil {
		c.Measured, c.Depth = true, *j.Depth
	}
	if j.Slot != nil {
		c.Slot = callgraph.Slot{Known: true, Table: j.Slot.Table, Offset: j.Slot.Offset}
	}
	if c.Depth < 0 || c.Depth > frame.MaxBytes {
		return nil, fmt.Errorf("a depth of %d bytes", c.Depth)
	}
	return c, nil
}

func newUnitJSON(u *callgraph.Unit) unitJSON {
	j := unitJSON{Object: u.Object, Source: u.Source, Linked: u.Linked, Functions: []functionJSON{}, Callers: []callerJSON{}}
	for _, f := range u.Functions {
		each := functionJSON{
			Title: f.Title, Position: f.Position, Defined: f.Defined, Kind: f.Kind,
			Frame: f.Frame, Aliases: f.Aliases, CodeOf: f.CodeOf, Partly: f.Partly, Prototype: f.Prototype,
		}
		if f.Name != f.Title {
			each.Name = f.Name
		}
		if f.Sized {
			each.Bytes = &f.Bytes
		}
		j.Functions = append(j.Functions, each)
	}
	for _, site := range u.CallSites {
		last := len(j.Callers) - 1
		if last < 0 || j.Callers[last].Title != site.Caller {
			j.Callers = append(j.Callers, callerJSON{Title: site.Caller})
			last++
		}
		j.Callers[last].Calls = append(j.Callers[last].Calls, callJSON{site.Callee, site.Position, newCodeJSON(site.Code)})
	}
	for _, use := range u.Uses {
		j.Uses = append(j.Uses, useJSON(*use))
	}
	return j
}

// unit refuses sizes that calculations could not be trusted with.
func (j unitJSON) unit() (*callgraph.Unit, error) {
	u := &callgraph.Unit{Object: j.Object, Source: j.Source, Linked: j.Linked}
	names := make(map[string]string) // each once: they repeat as titles, and in positions
	keep := func(s string) string {
		if kept, ok := names[s]; ok {
			return kept
		}
		names[s] = s
		return s
	}
	place := func(p callgraph.Position) callgraph.Position {
		p.File = keep(p.File)
		return p
	}
	for _, f := range j.Functions {
		each := &callgraph.Function{
			Title: keep(f.Title), Name: keep(f.Name), Position: place(f.Position), Defined: f.Defined, Kind: f.Kind,
			Frame: f.Frame, Aliases: f.Aliases, CodeOf: f.CodeOf, Partly: f.Partly, Prototype: keep(f.Prototype),
		}
		if f.Name == "" {
			each.Name = each.Title
		}
		if f.Bytes != nil {
			each.Sized, each.Bytes = true, *f.Bytes
		}
		if each.Bytes < 0 || each.Bytes > frame.MaxBytes {
			return nil, fmt.Errorf("%s has %d bytes", each.Name, each.Bytes)
		}
		if f.Frame != nil {
			if err := checkFrame(*f.Frame); err != nil {
				return nil, err
			}
		}
		u.Functions = append(u.Functions, each)
	}
	for _, caller := range j.Callers {
		title := keep(caller.Title)
		for _, call := range caller.Calls {
			code, err := call.Code.code()
			if err != nil {
				return nil, fmt.Errorf("a call in %s: %w", title, err)
			}
			u.CallSites = append(u.CallSites, &callgraph.CallSite{Caller: title, Callee: keep(call.Callee), Position: place(call.Position), Code: code})
		}
	}
	for _, use := range j.Uses {
		use.Function, use.Holder, use.PassedTo = keep(use.Function), keep(use.Holder), keep(use.PassedTo)
		u.Uses = append(u.Uses, new(callgraph.Use(use)))
	}
	return u, nil
}
