package callgraph

import (
	"errors"
	"io"
)

// A Unit is the content of one .ci file, in its order.
type Unit struct {
	Object    string // the object that it was compiled into; tells units apart, and is the caller's to set
	Source    string // main source file
	Functions []*Function
	CallSites []*CallSite
}

// ReadUnit reads the .ci file r. The name is what positions of errors begin with. The Unit holds everything that could be
// read, also when there is an error: the join of all *frame.SyntaxErrors and of the failure that ended reading.
func ReadUnit(r io.Reader, name string) (*Unit, error) {
	var u Unit
	reader := NewReader(r, name)
	for reader.Scan() {
		switch record := reader.Record().(type) {
		case *Function:
			u.Functions = append(u.Functions, record)
		case *CallSite:
			u.CallSites = append(u.CallSites, record)
		}
	}
	u.Source = reader.Source()
	var all []error
	for _, bad := range reader.SyntaxErrors() {
		all = append(all, bad)
	}
	return &u, errors.Join(append(all, reader.Err())...)
}
