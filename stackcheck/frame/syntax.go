package frame

import "fmt"

// A SyntaxError is one place of a file that a reader could not understand.
type SyntaxError struct {
	Path   string
	Line   int // from 1
	Column int // in bytes, from 1
	What   string
}

// Error returns "path:line:column: what".
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.What)
}

// MaxSyntaxErrors is how many places of one file a reader reports before it decides that the file is something else.
const MaxSyntaxErrors = 1000

// ErrTooManySyntaxErrors is the Err of a reader that gave up after MaxSyntaxErrors.
var ErrTooManySyntaxErrors = fmt.Errorf("more than %d malformed lines, this is some other kind of file", MaxSyntaxErrors)
