package stackcheck

import (
	"errors"
	"fmt"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// Limits are what a build has to keep.
type Limits struct {
	FrameBytes int // largest frame; the kernel's own is CONFIG_FRAME_WARN, 2,048 on 64 bits (lib/Kconfig.debug)
	PathBytes  int // largest sum along a call path; 0 is no limit
	Waivers    []Waiver
}

// A Waiver lets frames above the limit pass up to a ceiling.
type Waiver struct {
	File         string `json:"file,omitempty"`     // doublestar pattern of Frame.File; empty matches every file
	Function     string `json:"function,omitempty"` // pattern of the function's name or base name; empty matches every function
	CeilingBytes int    `json:"ceiling_bytes"`
	Reason       string `json:"reason"`
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
	for i, w := range l.Waivers {
		if err := w.validate(); err != nil {
			all = append(all, fmt.Errorf("stack limits: waiver %d (%s): %w", i+1, w.target(), err))
		}
	}
	return errors.Join(all...)
}

func (w Waiver) validate() error {
	switch {
	case w.File == "" && w.Function == "":
		return errors.New("names neither file nor function, and would waive everything; name what it is about")
	case !doublestar.ValidatePattern(w.File):
		return errors.New("file is no valid pattern; see doublestar, and escape [ { * ? with a backslash")
	case !doublestar.ValidatePattern(w.Function):
		return errors.New("function is no valid pattern; see doublestar, and escape [ { * ? with a backslash")
	case w.CeilingBytes <= 0:
		return errors.New("has no ceiling; set the bytes that the frame may take")
	case w.Reason == "":
		return errors.New("has no reason; say why the frame may be that large")
	}
	return nil
}

// target names what the waiver is about.
func (w Waiver) target() string {
	switch {
	case w.Function == "":
		return w.File
	case w.File == "":
		return w.Function
	}
	return w.File + ": " + w.Function
}

func (w Waiver) matches(f frame.Frame) bool {
	return (w.File == "" || doublestar.MatchUnvalidated(w.File, f.File)) &&
		(w.Function == "" || doublestar.MatchUnvalidated(w.Function, f.Function) ||
			doublestar.MatchUnvalidated(w.Function, frame.BaseName(f.Function)))
}
