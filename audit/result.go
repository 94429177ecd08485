// Package audit runs the three audits of a kernel module, of its headers, its stack and
// its event ABI, and puts their results together.
//
// A result says where its input came from (its [Origin]), because a green result of
// recorded data says nothing of the module at hand.
package audit

import (
	"github.com/kmodaudit/kmodaudit/headerinstall"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/observe"
)

// Format is the first field of a result as JSON.
const Format = "kmodaudit-audit/1"

// Verdict is how an audit ended.
type Verdict string

// The verdicts, from good to bad.
const (
	Clean    Verdict = "clean"    // nothing found
	Findings Verdict = "findings" // something found
	Failed   Verdict = "failed"   // it could not be done
)

// ExitCode is the status of a command that ends with this verdict.
func (v Verdict) ExitCode() int {
	switch v {
	case Clean:
		return 0
	case Findings:
		return 1
	}
	return 2
}

// worse returns the worse of two verdicts.
func (v Verdict) worse(w Verdict) Verdict {
	if w.ExitCode() > v.ExitCode() {
		return w
	}
	return v
}

// Kind is how real the input of an audit was.
type Kind string

// The kinds of input.
const (
	Real     Kind = "real"     // the module itself: its tree, its build, the loaded module
	Recorded Kind = "recorded" // what an earlier run of the real thing left
	Emulated Kind = "emulated" // the emulator in place of the kernel
	Sample   Kind = "sample"   // made for a demonstration
)

// Origin says where the input of an audit came from.
type Origin struct {
	Kind Kind   `json:"kind"`
	What string `json:"what"`
}

// Finding is one thing that an audit found wrong.
type Finding struct {
	Where  string `json:"where,omitempty"` // file:line:column, or the name of a check
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
}

// Section is what every audit reports.
type Section struct {
	Verdict  Verdict   `json:"verdict"`
	Origin   Origin    `json:"origin"`
	Error    string    `json:"error,omitempty"` // why it could not be done, or not wholly
	Warnings []string  `json:"warnings,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
}

// conclude sets the verdict by what was found.
func (s *Section) conclude(err error) {
	s.Verdict = Clean
	if len(s.Findings) > 0 {
		s.Verdict = Findings
	}
	if err != nil {
		s.Verdict, s.Error = Failed, err.Error()
	}
}

// Headers is the result of the header audit.
type Headers struct {
	Section
	Destination string `json:"destination,omitempty"`
	headerinstall.Totals
}

// Stack is the result of the stack audit. All sizes are bytes.
type Stack struct {
	Section
	Frames     int           `json:"frames"`
	LimitBytes int           `json:"limit_bytes"`
	Above      int           `json:"above_limit"` // frames above the limit, waived ones among them
	Waived     int           `json:"waived"`
	Heaviest   []frame.Frame `json:"heaviest,omitempty"`
	Watched    []Watched     `json:"watched,omitempty"`
	Graph      *Graph        `json:"graph,omitempty"` // nil without .ci files

	Observed []observe.Observation `json:"observed,omitempty"` // what runs used, beside what is known
}

// Watched is a function that the configuration asks about.
type Watched struct {
	Function       string        `json:"function"`
	Frames         []frame.Frame `json:"frames"`                     // usually one, none if it is not there
	WorstPathBytes int           `json:"worst_path_bytes,omitempty"` // the deepest static path through it
	LowerBound     bool          `json:"lower_bound,omitempty"`      // that path can get deeper than the compiler's data tells
	Path           []string      `json:"path,omitempty"`             // its functions, the outermost first
}

// Graph is what the call graph tells of the whole module.
type Graph struct {
	Functions      int      `json:"functions"`  // defined in the module
	CallSites      int      `json:"call_sites"` // through pointers too
	WorstPathBytes int      `json:"worst_path_bytes"`
	LowerBound     bool     `json:"lower_bound"`
	Path           []string `json:"path"` // functions of the deepest path, the outermost first
}

// Events is the result of the event audit.
type Events struct {
	Section
	Decoded int            `json:"decoded"`           // events read back and decoded
	Classes map[string]int `json:"classes,omitempty"` // how many of each
	Checks  []Check        `json:"checks,omitempty"`  // of zevent-test
}

// Check is one check of zevent-test.
type Check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // pass, fail, skip
	Detail string `json:"detail,omitempty"`
}

// Count returns how many checks ended with that status.
func (e Events) Count(status string) int {
	n := 0
	for _, c := range e.Checks {
		if c.Status == status {
			n++
		}
	}
	return n
}

// Result is what the three audits found.
type Result struct {
	Format  string  `json:"format"`
	Verdict Verdict `json:"verdict"`
	Headers Headers `json:"headers"`
	Stack   Stack   `json:"stack"`
	Events  Events  `json:"events"`
}

// Combine puts the results of the three audits together.
func Combine(h Headers, s Stack, e Events) Result {
	return Result{
		Format:  Format,
		Verdict: h.Verdict.worse(s.Verdict).worse(e.Verdict),
		Headers: h, Stack: s, Events: e,
	}
}
