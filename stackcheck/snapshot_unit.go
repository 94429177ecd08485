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
	Functions []functionJSON `json:"functions"`
	Callers   []callerJSON   `json:"callers"`
}

// functionJSON is a function that a unit defines, with its frame, or only names.
type functionJSON struct {
	Title    string             `json:"title"`
	Name     string             `json:"name,omitempty"` // when it is not the title
	Position callgraph.Position `json:"position,omitzero"`
	Defined  bool               `json:"defined,omitempty"`
	Bytes    *int               `json:"bytes,omitempty"` // nil when it is not known
	Kind     frame.Kind         `json:"kind,omitempty"`
}

type callerJSON struct {
	Title string     `json:"title"`
	Calls []callJSON `json:"calls"`
}

type callJSON struct {
	Callee   string             `json:"callee"` // title
	Position callgraph.Position `json:"position,omitzero"`
}

func newUnitJSON(u *callgraph.Unit) unitJSON {
	j := unitJSON{Object: u.Object, Source: u.Source, Functions: []functionJSON{}, Callers: []callerJSON{}}
	for _, f := range u.Functions {
		each := functionJSON{Title: f.Title, Position: f.Position, Defined: f.Defined, Kind: f.Kind}
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
		j.Callers[last].Calls = append(j.Callers[last].Calls, callJSON{site.Callee, site.Position})
	}
	return j
}

// unit refuses sizes that calculations could not be trusted with.
func (j unitJSON) unit() (*callgraph.Unit, error) {
	u := &callgraph.Unit{Object: j.Object, Source: j.Source}
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
		each := &callgraph.Function{Title: keep(f.Title), Name: keep(f.Name), Position: place(f.Position), Defined: f.Defined, Kind: f.Kind}
		if f.Name == "" {
			each.Name = each.Title
		}
		if f.Bytes != nil {
			each.Sized, each.Bytes = true, *f.Bytes
		}
		if each.Bytes < 0 || each.Bytes > frame.MaxBytes {
			return nil, fmt.Errorf("%s has %d bytes", each.Name, each.Bytes)
		}
		u.Functions = append(u.Functions, each)
	}
	for _, caller := range j.Callers {
		title := keep(caller.Title)
		for _, call := range caller.Calls {
			u.CallSites = append(u.CallSites, &callgraph.CallSite{Caller: title, Callee: keep(call.Callee), Position: place(call.Position)})
		}
	}
	return u, nil
}
