package stackcheck

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// Limits are what a build has to keep.
type Limits struct {
	FrameBytes int // largest frame; the kernel's own is CONFIG_FRAME_WARN, 2,048 on 64 bits (lib/Kconfig.debug)
	PathBytes  int // largest sum along a call path; 0 is no limit

	Particular []Limit // of some functions, in place of the general ones; the first that matches and has one counts
	Entries    []Entry // that the kernel calls, beside those that a build tells, see Reach
	Waivers    []Waiver

	// Cycles and Externals are what Beside has of these, with their reasons and where they are configured. One that is about
	// nothing is a finding.
	Cycles    []Cycle
	Externals []External
	Beside    Beside // what Check's build was made with, see Build.With

	Baseline *Baseline // nil for none
	Today    string    // 2006-01-02; waivers may have expired by then; empty when none does
}

// A Target names functions. An empty pattern matches everything.
type Target struct {
	File     string `json:"file,omitempty"`     // doublestar pattern of Frame.File
	Function string `json:"function,omitempty"` // pattern of the function's name or base name

	Place callgraph.Position `json:"place,omitzero"` // where it is configured
}

// A Limit is one of particular functions. Zero is none.
type Limit struct {
	Target
	FrameBytes int `json:"frame_bytes,omitempty"`
	PathBytes  int `json:"path_bytes,omitempty"` // of paths that begin at the function
}

// An Entry is a function that is called from outside of the build.
type Entry struct{ Target }

// A Waiver lets frames above a limit pass up to a ceiling, and the deepest paths from functions. Zero lets none.
type Waiver struct {
	Target
	CeilingBytes     int    `json:"ceiling_bytes,omitempty"`
	PathCeilingBytes int    `json:"path_ceiling_bytes,omitempty"`
	Reason           string `json:"reason"`
	Expires          string `json:"expires,omitempty"`   // 2006-01-02, the last day that it holds
	Unreached        bool   `json:"unreached,omitempty"` // it holds only for functions that no entry reaches
}

// A Cycle is one that goes round no more than a number of times.
type Cycle struct {
	Target        // the name of a function of the cycle, and no pattern
	Turns  int    // from 1
	Reason string // why it does not go round more often
}

// An External is what a function takes that the build does not have, with all that it calls.
type External struct {
	Target // the function's name, and no pattern
	Bytes  int
}

// A Baseline is an earlier build, and how far another one may be from it.
type Baseline struct {
	Build            Build
	Name             string // that Build is read from
	NewFrameBytes    int    // smallest frame of a new function that is found
	FrameGrowthBytes int    // that a frame may grow by
	PathGrowthBytes  int    // that the deepest path from an entry may grow by
}

// Validate returns all that is wrong with the limits, or nil.
func (l Limits) Validate() error {
	var all []error
	if l.FrameBytes <= 0 {
		all = append(all, fmt.Errorf("stack limits: a frame limit of %d bytes; set one above 0, the kernel's own is 2048", l.FrameBytes))
	}
	if l.PathBytes < 0 {
		all = append(all, fmt.Errorf("stack limits: a path limit of %d bytes; set one above 0, or 0 for none", l.PathBytes))
	}
	for i, limit := range l.Particular {
		if err := limit.validate(); err != nil {
			all = append(all, limit.wrong("limit", i, err))
		}
	}
	for i, e := range l.Entries {
		if err := e.validate(); err != nil {
			all = append(all, e.wrong("entry", i, err))
		}
	}
	for i, w := range l.Waivers {
		if err := w.validate(); err != nil {
			all = append(all, w.wrong("waiver", i, err))
		}
	}
	for i, c := range l.Cycles {
		if err := c.validate(); err != nil {
			all = append(all, c.wrong("cycle", i, err))
		}
	}
	for i, e := range l.Externals {
		if e.Bytes <= 0 {
			all = append(all, e.wrong("external", i, fmt.Errorf("takes %d bytes; set a number above 0", e.Bytes)))
		}
	}
	if b := l.Baseline; b != nil && (b.NewFrameBytes < 0 || b.FrameGrowthBytes < 0 || b.PathGrowthBytes < 0) {
		all = append(all, errors.New("stack limits: the baseline allows less than 0 bytes; set 0 or more"))
	}
	return errors.Join(all...)
}

func (t Target) wrong(what string, i int, err error) error {
	text := fmt.Sprintf("stack limits: %s %d (%s): %v", what, i+1, t, err)
	if t.Place.File != "" {
		text = fmt.Sprintf("%s:%d: %s", t.Place.File, t.Place.Line, text)
	}
	return errors.New(text)
}

func (t Target) validate() error {
	switch {
	case t.File == "" && t.Function == "":
		return errors.New("names neither file nor function, and would be about everything; name what it is about")
	case !doublestar.ValidatePattern(t.File):
		return errors.New("file is no valid pattern; see doublestar, and escape [ { * ? with a backslash")
	case !doublestar.ValidatePattern(t.Function):
		return errors.New("function is no valid pattern; see doublestar, and escape [ { * ? with a backslash")
	}
	return nil
}

func (l Limit) validate() error {
	switch err := l.Target.validate(); {
	case err != nil:
		return err
	case l.FrameBytes < 0 || l.PathBytes < 0 || l.FrameBytes == 0 && l.PathBytes == 0:
		return errors.New("limits neither frame nor path; set the bytes of one of them")
	}
	return nil
}

func (c Cycle) validate() error {
	switch {
	case c.Function == "":
		return errors.New("names no function; name one of the cycle, stack paths shows them")
	case c.Turns < 1:
		return fmt.Errorf("goes round %d times; set a number from 1", c.Turns)
	case c.Reason == "":
		return errors.New("has no reason; say what bounds the recursion")
	}
	return nil
}

func (w Waiver) validate() error {
	switch err := w.Target.validate(); {
	case err != nil:
		return err
	case w.CeilingBytes < 0 || w.PathCeilingBytes < 0 || w.CeilingBytes == 0 && w.PathCeilingBytes == 0:
		return errors.New("has no ceiling; set the bytes that the frame, or the path, may take")
	case w.Reason == "":
		return errors.New("has no reason; say why the frame may be that large")
	}
	if w.Expires != "" {
		if _, err := time.Parse(time.DateOnly, w.Expires); err != nil {
			return fmt.Errorf("expires on %q; want a date such as 2027-01-31", w.Expires)
		}
	}
	return nil
}

// String names the functions, as far as they are named.
func (t Target) String() string {
	switch {
	case t.Function == "":
		return t.File
	case t.File == "":
		return t.Function
	}
	return t.File + ": " + t.Function
}

// Matches reports whether a function is an entry.
func (e Entry) Matches(f frame.Frame) bool { return e.matches(f) }

func (t Target) matches(f frame.Frame) bool {
	return (t.File == "" || doublestar.MatchUnvalidated(t.File, f.File)) &&
		(t.Function == "" || doublestar.MatchUnvalidated(t.Function, f.Function) ||
			doublestar.MatchUnvalidated(t.Function, frame.BaseName(f.Function)))
}

// needsGraph reports whether anything but frames is to be checked.
func (l Limits) needsGraph() bool {
	return l.PathBytes > 0 || len(l.Entries) > 0 || len(l.Cycles) > 0 || len(l.Externals) > 0 || l.Baseline != nil && l.Baseline.Build.Graph != nil ||
		slices.ContainsFunc(l.Particular, func(limit Limit) bool { return limit.PathBytes > 0 }) ||
		slices.ContainsFunc(l.Waivers, func(w Waiver) bool { return w.Unreached || w.PathCeilingBytes > 0 })
}

// ReadBaseline returns the limits with the build that their baseline names. When it cannot be read, there is no baseline.
func (l Limits) ReadBaseline() (Limits, error) {
	if l.Baseline == nil {
		return l, nil
	}
	b := *l.Baseline
	l.Baseline = nil
	var err error
	if b.Build, err = Read(b.Name); err != nil {
		return l, fmt.Errorf("reading the baseline: %w", err)
	}
	l.Baseline = &b
	return l, nil
}
