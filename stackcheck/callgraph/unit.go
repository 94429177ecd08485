package callgraph

import (
	"errors"
	"io"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/object"
	"github.com/kmodaudit/kmodaudit/stackcheck/prototype"
)

// A Unit is the content of one .ci file, in its order, or what an object tells.
type Unit struct {
	Object    string // the object that it was compiled into; tells units apart, and is the caller's to set
	Source    string // main source file; empty for an object
	File      string // that an object was read from, if it can be read again; the caller's to set
	Kernel    bool   // what is in it only counts for what others call: it has no entries
	Linked    bool   // it is the kernel itself, whose cycles are charged with a chain
	Functions []*Function
	CallSites []*CallSite

	// Only objects tell these.
	Uses     []*Use
	Pointers []object.Address // of the instructions that call through pointers, in the order of CallSites
}

// SetPrototypes notes what is known of a unit that ReadObject has read from the same object: which prototypes its functions
// have, and the pointers that it calls.
func (u *Unit) SetPrototypes(p *prototype.Prototypes) {
	for i, f := range u.Functions[:min(len(u.Functions), len(p.Functions))] {
		f.Prototype = p.Functions[i]
	}
	pointers := u.Pointers
	for _, site := range u.CallSites {
		if site.Callee == indirect && len(pointers) > 0 {
			site.Code.Prototype = p.Pointers[pointers[0]]
			pointers = pointers[1:]
		}
	}
}

// A Use is a way to reach a function other than a call by its name.
type Use struct {
	Function string // title
	Kind     UseKind
	Holder   string // the symbol of the data that holds the address, or the function whose code takes it; empty if nothing tells
	Offset   int    // of the field in the data, in bytes
	PassedTo string // of an address that code takes: the function that is called next, by symbol
}

// A UseKind tells how a function can be reached.
type UseKind string

const (
	Exported UseKind = "exported" // any module may call it
	Initial  UseKind = "init"     // the kernel calls it when the module is loaded, or when it starts
	Final    UseKind = "exit"     // the kernel calls it when the module is unloaded
	InTable  UseKind = "table"    // data holds its address, such as a table of operations
	Taken    UseKind = "taken"    // code takes its address: it becomes a thread, or is called back
)

// ReadUnit reads the .ci file r. The name is what positions of errors begin with. The Unit holds everything that could be
// read, also when there is an error: the join of all *frame.SyntaxErrors and of the failure that ended reading.
func ReadUnit(r io.Reader, name string) (*Unit, error) {
	var (
		u       Unit
		aliases []*Alias
	)
	reader := NewReader(r, name)
	for reader.Scan() {
		switch record := reader.Record().(type) {
		case *Function:
			u.Functions = append(u.Functions, record)
		case *Alias:
			aliases = append(aliases, record)
		case *CallSite:
			u.CallSites = append(u.CallSites, record)
		}
	}
	u.Source = reader.Source()
	u.resolve(aliases)
	var all []error
	for _, bad := range reader.SyntaxErrors() {
		all = append(all, bad)
	}
	return &u, errors.Join(append(all, reader.Err())...)
}

// resolve gives each alias to the function that it stands for, and calls of it too. One of something that the unit does not define is a function
// that it only names.
func (u *Unit) resolve(aliases []*Alias) {
	if len(aliases) == 0 {
		return
	}
	const mostSteps = 16 // from an alias of an alias to a function: a damaged file may have one of itself
	defined := make(map[string]*Function, len(u.Functions))
	for _, f := range u.Functions {
		if f.Defined && defined[f.Title] == nil {
			defined[f.Title] = f
		}
	}
	targets := make(map[string]string, len(aliases))
	for _, alias := range aliases {
		if defined[alias.Title] == nil {
			targets[alias.Title] = ""
		}
	}
	u.CallSites = slices.DeleteFunc(u.CallSites, func(site *CallSite) bool {
		_, ok := targets[site.Caller]
		if ok {
			targets[site.Caller] = site.Callee
		}
		return ok
	})
	standsFor := make(map[string]*Function, len(aliases))
	for _, alias := range aliases {
		title := alias.Title
		for range mostSteps {
			if title = targets[title]; defined[title] != nil {
				break
			}
		}
		switch f := defined[title]; {
		case defined[alias.Title] != nil, standsFor[alias.Title] != nil: // as only a damaged file has
		case f != nil:
			standsFor[alias.Title] = f
			f.Aliases = append(f.Aliases, alias.Title)
		default:
			u.Functions = append(u.Functions, &Function{Title: alias.Title, Name: alias.Name, Position: alias.Position})
		}
	}
	for _, site := range u.CallSites {
		if f := standsFor[site.Callee]; f != nil {
			site.Callee = f.Title
		}
	}
}
