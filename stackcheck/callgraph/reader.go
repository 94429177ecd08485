package callgraph

import (
	"fmt"
	"io"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/internal/lines"
)

const rebuild = "rebuild the object"

// A Position is a place in a source file. The zero Position is unknown: gcc has none for calls that it made up.
type Position struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// A Record is one line of a .ci file: a *Function, an *Alias or a *CallSite.
type Record interface{ record() }

// An Alias is a node line of a function that is another: the CallSite of which it is the Caller leads there.
type Alias struct {
	Title, Name string
	Position    Position
}

// A Function is a node line: a function that the unit defines, or only names.
type Function struct {
	Title    string
	Name     string // printable, as in .su; the clone's number is in the title only
	Position Position
	Defined  bool
	Sized    bool // Bytes and Kind are known; the compiler had -fcallgraph-info=su
	Bytes    int
	Kind     frame.Kind
	Aliases  []string // titles of nodes that are the same function, or other symbols that other units can call it by

	// Only functions of objects have what follows.
	Frame  *frame.Frame // what other sources tell of it; in place of Name, Position, Bytes and Kind
	CodeOf *Place       // the function of a .ci file that this is the code of, nil if none tells of it
	Partly bool         // its code could not be read to the end

	Prototype string // empty when it is not known, see Unit.SetPrototypes
}

// A Place is a function of a unit.
type Place struct {
	Object string `json:"object"`
	Title  string `json:"title"`
}

// A CallSite is an edge line: one call in the source. After inlining the position lies in the inlined function.
// Or it is a call instruction of an object, which has no position.
type CallSite struct {
	Caller, Callee string // titles
	Position       Position
	Code           *Code // nil for an edge line
}

// Code is what the machine code tells of a call.
type Code struct {
	Depth    int  // of the stack when the callee begins, from where it was when the caller did, in bytes
	Measured bool // Depth is known
	Tail     bool // it is a jump, and the caller does not run again
	Slot     Slot // of a call through a pointer

	Prototype string // that the pointer has; empty when it is not known
}

// A Slot tells where the pointer of a call is loaded from: from the field at Offset, in bytes, of what a register
// points at; or from that of a table.
type Slot struct {
	Known  bool
	Table  string // its symbol
	Offset int
}

func (*Function) record() {}
func (*Alias) record()    {}
func (*CallSite) record() {}

// indirect is the title that gcc gives to the callee of every call through a pointer.
const indirect = "__indirect_call"

// A Reader reads the records of one .ci file, in the manner of bufio.Scanner. The format is gcc's, since release 10
// (gcc/toplev.cc: dump_final_node_vcg, dump_final_callee_vcg), a subset of VCG:
//
//	graph: { title: "SOURCE"
//	node: { title: "TITLE" label: "NAME\nPLACE\nN bytes (KIND)\nN dynamic objects\n VARIABLE PLACE" }
//	node: { title: "TITLE" label: "NAME\nPLACE" shape : ellipse }
//	node: { title: "TITLE" label: "NAME\nPLACE" shape : triangle }
//	edge: { sourcename: "TITLE" targetname: "TITLE" label: "PLACE" }
//	}
//
// with the two characters \n between the parts of a label, an edge without label where gcc has no position, an ellipse
// for a function without body, and since release 16 a triangle for an alias, from which an edge leads to what it stands for. Nothing is escaped. Titles have their quotes dropped, labels and SOURCE have not: a reader
// can rely on the first separator after a title and on the last of a line, on nothing between.
// The dynamic objects are not read: the frame's kind says that there are any.
type Reader struct {
	lines    *lines.Scanner
	name     string
	source   string
	state    state
	record   Record
	interned map[string]string
	errors   []*frame.SyntaxError
	err      error
}

type state int

const (
	beforeGraph state = iota
	inGraph
	afterGraph
)

// NewReader returns a Reader of the .ci file r. The name is what positions of errors begin with.
func NewReader(r io.Reader, name string) *Reader {
	return &Reader{lines: lines.NewScanner(r), name: name, interned: make(map[string]string)}
}

// Source returns the unit's main source file, once Scan has returned for the first time.
func (r *Reader) Source() string { return r.source }

// Record returns the record that the last Scan read.
func (r *Reader) Record() Record { return r.record }

// SyntaxErrors returns the lines that could not be understood so far, at most frame.MaxSyntaxErrors, in the order of the file.
func (r *Reader) SyntaxErrors() []*frame.SyntaxError { return r.errors }

// Err returns why reading ended before the end of the file, or nil. SyntaxErrors are not part of it.
func (r *Reader) Err() error {
	if r.err != nil {
		return r.err
	}
	if err := r.lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	return nil
}

// Scan advances to the next record that can be understood. Other lines are kept as SyntaxErrors.
func (r *Reader) Scan() bool {
	for r.err == nil && r.lines.Scan() {
		record, bad := r.line()
		if bad != nil {
			r.report(bad)
			continue
		}
		if record != nil {
			r.record = record
			return true
		}
	}
	if r.Err() == nil && r.state != afterGraph {
		r.state = afterGraph
		r.report(&frame.SyntaxError{Line: r.lines.Number() + 1, Column: 1, What: `the file ends before the graph's closing "}"`})
	}
	return false
}

func (r *Reader) report(bad *frame.SyntaxError) {
	if len(r.errors) == frame.MaxSyntaxErrors {
		r.err = fmt.Errorf("%s: %w", r.name, frame.ErrTooManySyntaxErrors)
		return
	}
	bad.Path = r.name
	if bad.Line == 0 {
		bad.Line = r.lines.Number()
	}
	bad.What += "; " + rebuild
	r.errors = append(r.errors, bad)
}

// line reads one line. It returns neither record nor error for a line that holds none.
func (r *Reader) line() (Record, *frame.SyntaxError) {
	if fault := r.lines.Fault(); fault != lines.Whole {
		return nil, &frame.SyntaxError{Column: len(r.lines.Text()) + 1, What: string(fault)}
	}
	text := r.lines.Text()
	if source, ok := cutEnds(text, `graph: { title: "`, `"`); ok && r.state == beforeGraph {
		r.state, r.source = inGraph, r.intern(source)
		return nil, nil
	}
	if text == "}" && r.state == inGraph {
		r.state = afterGraph
		return nil, nil
	}
	if r.state != inGraph {
		return nil, &frame.SyntaxError{Column: 1, What: `want one graph from "graph: {" to "}", got a line outside of it`}
	}
	if rest, ok := strings.CutPrefix(text, `node: { title: "`); ok {
		return r.node(rest, len(text)-len(rest)+1)
	}
	if rest, ok := strings.CutPrefix(text, `edge: { sourcename: "`); ok {
		return r.edge(rest, len(text)-len(rest)+1)
	}
	return nil, &frame.SyntaxError{Column: 1, What: `want "node: {", "edge: {" or "}"`}
}

// node reads a node line from its title on. The column is where the title begins.
func (r *Reader) node(rest string, column int) (Record, *frame.SyntaxError) {
	title, label, ok := strings.Cut(rest, `" label: "`)
	if !ok {
		return nil, &frame.SyntaxError{Column: column, What: `want a title and a label`}
	}
	column += len(title) + len(`" label: "`)
	f := Function{Title: r.intern(title)}
	label, external := strings.CutSuffix(label, `" shape : ellipse }`)
	label, alias := strings.CutSuffix(label, `" shape : triangle }`)
	if !external && !alias {
		if label, ok = strings.CutSuffix(label, `" }`); !ok {
			return nil, &frame.SyntaxError{Column: column + len(label), What: "the label does not end"}
		}
	}
	f.Defined = !external && !alias
	if external && title == indirect {
		f.Name = r.intern(label)
		return &f, nil
	}
	if !r.label(label, &f) {
		return nil, &frame.SyntaxError{Column: column, What: `want label "function\nfile:line:col" or with "\nN bytes (kind)"`}
	}
	if alias {
		return &Alias{f.Title, f.Name, f.Position}, nil
	}
	return &f, nil
}

// label reads a node's label. The function's name has no backslash followed by n: C has no backslash in names, and gcc
// prints the characters among C++ template arguments in octal. A file's name may have one, so that the size is searched for.
func (r *Reader) label(label string, f *Function) bool {
	name, rest, ok := strings.Cut(label, `\n`)
	if !ok || name == "" {
		return false
	}
	f.Name = r.intern(name)
	place := rest
	for at := 0; ; {
		i := strings.Index(rest[at:], `\n`)
		if i < 0 {
			break
		}
		if end := at + i; size(rest[end+2:], f) {
			place = rest[:end]
			break
		}
		at += i + 2
	}
	if place == "<built-in>" {
		return true
	}
	f.Position, ok = r.position(place)
	return ok
}

// size reads what follows the position in a label: "N bytes (KIND)" or "N dynamic objects", and what comes after it.
func size(s string, f *Function) bool {
	number, unit, ok := strings.Cut(s[:min(len(s), 64)], " ")
	if !ok {
		return false
	}
	n, err := frame.ParseBytes(number)
	if err != nil {
		return false
	}
	if strings.HasPrefix(unit, "dynamic objects") {
		return true
	}
	for _, kind := range []frame.Kind{frame.Static, frame.Dynamic, frame.Bounded} {
		if strings.HasPrefix(unit, "bytes ("+string(kind)+")") {
			f.Sized, f.Bytes, f.Kind = true, n, kind
			return true
		}
	}
	return false
}

// edge reads an edge line from its source's title on. The column is where that title begins.
func (r *Reader) edge(rest string, column int) (Record, *frame.SyntaxError) {
	caller, rest, ok := strings.Cut(rest, `" targetname: "`)
	if !ok {
		return nil, &frame.SyntaxError{Column: column, What: "want a sourcename and a targetname"}
	}
	column += len(caller) + len(`" targetname: "`)
	callee, rest, ok := strings.Cut(rest, `"`)
	column += len(callee) + 1
	site := CallSite{Caller: r.intern(caller), Callee: r.intern(callee)}
	if ok && rest == " }" {
		return &site, nil
	}
	place, ok := cutEnds(rest, ` label: "`, `" }`)
	if !ok {
		return nil, &frame.SyntaxError{Column: column, What: "want a label or the end of the edge"}
	}
	if site.Position, ok = r.position(place); !ok && place != "<built-in>" {
		return nil, &frame.SyntaxError{Column: column + len(` label: "`), What: `want label "file:line:col"`}
	}
	return &site, nil
}

func (r *Reader) position(s string) (Position, bool) {
	file, line, column, ok := frame.ParsePosition(s)
	return Position{File: r.intern(file), Line: line, Column: column}, ok
}

// intern keeps one copy of each title and file: a .ci file repeats them on every line, and a part of a line would keep that, or all of the file.
func (r *Reader) intern(s string) string {
	if known, ok := r.interned[s]; ok {
		return known
	}
	s = strings.Clone(s)
	r.interned[s] = s
	return s
}

func cutEnds(s, prefix, suffix string) (string, bool) {
	s, okPrefix := strings.CutPrefix(s, prefix)
	s, okSuffix := strings.CutSuffix(s, suffix)
	return s, okPrefix && okSuffix
}
