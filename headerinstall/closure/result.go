package closure

import "fmt"

// A Result is what one pass over a tree finds. Every list is sorted, those of files by file and line. The file of a consumer
// has its directory's name before it.
type Result struct {
	Headers  int   `json:"headers"`  // read
	Bytes    int64 `json:"bytes"`    // of those headers
	Includes int   `json:"includes"` // of the headers and consumers, in branches that are not dead

	Missing     []Missing     `json:"missing,omitempty"`
	Optional    []Missing     `json:"optional,omitempty"` // not there, but __has_include is asked first
	Computed    []Computed    `json:"computed,omitempty"`
	Unguarded   []string      `json:"unguarded,omitempty"`    // headers that need a guard, and have none
	ConfigLeaks []ConfigLeak  `json:"config_leaks,omitempty"` // sorted by macro
	Errors      []SyntaxError `json:"errors,omitempty"`       // what of a file could not be understood; the rest of it was
	NotHeaders  []string      `json:"not_headers,omitempty"`  // what else is in the tree, by its name
	NotRead     []NotRead     `json:"not_read,omitempty"`     // what could not be read
}

// Missing is a header that is included and not there.
type Missing struct {
	Include   string   `json:"include"`             // as written, without its delimiters
	Includers []Use    `json:"includers"`           // who includes it
	Elsewhere []string `json:"elsewhere,omitempty"` // headers of the tree whose path ends in Include but for the case of letters: another -I or spelling would find them
}

// Computed is an include whose name is a macro's.
type Computed struct {
	Use
	Text string `json:"text"` // what stands for the name
}

// A ConfigLeak is a CONFIG_ macro that the tree uses and does not define.
type ConfigLeak struct {
	Macro string `json:"macro"`
	Uses  []Use  `json:"uses"`
}

// A Use is one directive of a file.
type Use struct {
	File       string   `json:"file"`
	Line       int      `json:"line"` // from 1
	Conditions []string `json:"conditions,omitempty"`
}

// A SyntaxError is a place of a file that could not be understood.
type SyntaxError struct {
	File   string `json:"file"`
	Line   int    `json:"line"`   // from 1
	Column int    `json:"column"` // in bytes, from 1
	What   string `json:"what"`
}

// Error returns "file:line:column: what".
func (e SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.What)
}

// NotRead is a file or directory whose includes are not known.
type NotRead struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}
