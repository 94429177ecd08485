package stackcheck

import (
	"fmt"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// A FindingKind says what was found. The values are stable: reports and baselines keep them.
type FindingKind string

const (
	FrameAboveLimit FindingKind = "frame-above-limit" // no waiver
	FrameUnbounded  FindingKind = "frame-unbounded"   // the frame grows at run time, the compiler knows no bound
	FrameNew        FindingKind = "frame-new"         // a large frame of a function that the baseline has not
	FrameGrown      FindingKind = "frame-grown"       // since the baseline
	PathAboveLimit  FindingKind = "path-above-limit"  // the deepest path from a function
	PathGrown       FindingKind = "path-grown"        // since the baseline
	WaiverExceeded  FindingKind = "waiver-exceeded"   // the frame, or path, is above the ceiling of its waiver
	WaiverExpired   FindingKind = "waiver-expired"
	WaiverUnused    FindingKind = "waiver-unused" // it excuses nothing
	TargetUnused    FindingKind = "target-unused" // a limit, an entry, a cycle or a figure of the configuration is about nothing
)

// FindingKinds are all, each with what it says of a build.
var FindingKinds = []struct {
	Kind FindingKind
	What string
}{
	{FrameAboveLimit, "A function takes more stack than the limit."},
	{FrameUnbounded, "A frame grows at run time, by a variable length array or alloca, without a bound that the compiler knows."},
	{FrameNew, "A function that the baseline does not have takes much stack."},
	{FrameGrown, "A function takes more stack than in the baseline."},
	{PathAboveLimit, "A chain of calls takes more stack than the limit."},
	{PathGrown, "A chain of calls takes more stack than in the baseline."},
	{WaiverExceeded, "A function takes more stack than its waiver allows."},
	{WaiverExpired, "A waiver has expired."},
	{WaiverUnused, "A waiver excuses nothing."},
	{TargetUnused, "A limit, an entry, a cycle or a figure of the configuration is about nothing."},
}

// A Finding is one thing that has to change. Frame, Path and Waiver are what it is about, as far as it has them.
type Finding struct {
	Kind       FindingKind        `json:"kind"`
	Frame      *frame.Frame       `json:"frame,omitempty"`
	Path       *callgraph.Path    `json:"path,omitempty"`
	Waiver     *Waiver            `json:"waiver,omitempty"`
	Target     *Target            `json:"target,omitempty"`
	LimitBytes int                `json:"limit_bytes,omitempty"` // what was exceeded: the limit, the waiver's ceiling, or what the baseline allows
	WasBytes   int                `json:"was_bytes,omitempty"`   // in the baseline
	Others     int                `json:"others,omitempty"`      // functions of whose deepest path the same is to be said
	Reach      Reach              `json:"reach,omitempty"`       // of the frame; empty without call graph
	Place      callgraph.Position `json:"place,omitzero"`        // where it is best shown: in the source, or in the configuration
	Message    string             `json:"message"`
	Remedy     string             `json:"remedy"`
}

const (
	shrink    = "allocate its large local variables on the heap, or move them into a noinline function off the deep paths"
	shallower = "make the largest frames on the path smaller, or break the path by handing work to a task queue"
	record    = "record the baseline anew (kmodaudit stack snapshot -o FILE PATH) if this is meant to be"
)

func (f Finding) about(frame frame.Frame) Finding {
	f.Frame = &frame
	f.Place = callgraph.Position{File: frame.File, Line: frame.Line, Column: frame.Column}
	return f
}

func (f Finding) along(path callgraph.Path) Finding {
	f = f.about(path.Steps[0].Frame)
	f.Frame, f.Path = nil, &path
	return f
}

func frameFinding(kind FindingKind, f frame.Frame, limit, was int, reach Reach) Finding {
	finding := Finding{Kind: kind, LimitBytes: limit, WasBytes: was, Reach: reach}.about(f)
	takes := fmt.Sprintf("%s takes %d bytes of stack (%s)", f.Function, f.Bytes, f.Kind)
	switch kind {
	case FrameAboveLimit:
		finding.Message = fmt.Sprintf("%s, the limit is %d", takes, limit)
		finding.Remedy = shrink + "; or add a waiver with a reason and a ceiling"
	case FrameUnbounded:
		finding.Message = fmt.Sprintf("%s takes %d bytes of stack and more at run time, without a bound", f.Function, f.Bytes)
		finding.Remedy = "replace its variable length arrays and alloca by arrays of constant size or by the heap; or add a waiver with a reason and a ceiling"
	case FrameNew:
		finding.Message = fmt.Sprintf("%s, and is not in the baseline, after which new frames have to be below %d", takes, limit)
		finding.Remedy = shrink + "; or " + record
	case FrameGrown:
		finding.Message = fmt.Sprintf("%s, %d more than in the baseline", takes, f.Bytes-was)
		finding.Remedy = "find what made the frame grow and undo it; or " + record
	}
	if reach == Unreached {
		finding.Message += "; no known entry point leads to it"
	}
	return finding
}

func frameAboveCeiling(f frame.Frame, w Waiver, was int, reach Reach) Finding {
	finding := Finding{
		Kind: WaiverExceeded, Waiver: &w, LimitBytes: w.CeilingBytes, WasBytes: was, Reach: reach,
		Message: fmt.Sprintf("%s takes %d bytes of stack (%s), its waiver allows %d", f.Function, f.Bytes, f.Kind, w.CeilingBytes),
		Remedy:  "find what made the frame grow and undo it, or raise the waiver's ceiling if its reason still holds",
	}.about(f)
	return finding
}

func pathAboveLimit(path callgraph.Path, limit, others int) Finding {
	return Finding{
		Kind: PathAboveLimit, LimitBytes: limit, Others: others,
		Message: fmt.Sprintf("%s %d bytes of stack (%s), the limit is %d%s", ends(path), path.Bytes, path.Verdict, limit, andOthers(others)),
		Remedy:  shallower + "; or add a waiver with a reason and a path ceiling",
	}.along(path)
}

func pathAboveCeiling(path callgraph.Path, w Waiver) Finding {
	return Finding{
		Kind: WaiverExceeded, Waiver: &w, LimitBytes: w.PathCeilingBytes,
		Message: fmt.Sprintf("%s %d bytes of stack (%s), the waiver allows %d", ends(path), path.Bytes, path.Verdict, w.PathCeilingBytes),
		Remedy:  "find what made the path grow and undo it, or raise the waiver's path ceiling if its reason still holds",
	}.along(path)
}

func pathGrown(path callgraph.Path, was, others int) Finding {
	return Finding{
		Kind: PathGrown, WasBytes: was, Others: others,
		Message: fmt.Sprintf("%s %d bytes of stack (%s), %d more than the deepest path in the baseline%s", ends(path), path.Bytes, path.Verdict, path.Bytes-was, andOthers(others)),
		Remedy:  shallower + "; or " + record,
	}.along(path)
}

func ends(p callgraph.Path) string {
	first, last := p.Steps[0].Frame.Function, p.Steps[len(p.Steps)-1].Frame.Function
	if len(p.Steps) == 1 {
		return first + " alone takes"
	}
	return fmt.Sprintf("the calls from %s to %s take", first, last)
}

func andOthers(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; so it is from %d more", n)
}

func waiverUnused(w Waiver) Finding {
	text := "matches no frame above the limit"
	switch {
	case w.Unreached:
		text += " that is not reached"
	case w.CeilingBytes == 0:
		text = "matches no path above the limit"
	}
	return Finding{
		Kind: WaiverUnused, Waiver: &w, Place: w.Place,
		Message: fmt.Sprintf("the waiver for %s %s", w.Target, text),
		Remedy:  "remove the waiver if the frame is gone or small enough now; if the function was renamed, name it anew",
	}
}

func waiverExpired(w Waiver) Finding {
	return Finding{
		Kind: WaiverExpired, Waiver: &w, Place: w.Place,
		Message: fmt.Sprintf("the waiver for %s expired on %s; its reason was: %s", w.Target, w.Expires, w.Reason),
		Remedy:  "make the frame smaller and remove the waiver, or give it another date if its reason still holds",
	}
}

func cycleUnused(c Cycle) Finding {
	return Finding{
		Kind: TargetUnused, Target: &c.Target, Place: c.Place,
		Message: fmt.Sprintf("the cycle of %s is none: the function does not recurse, or is gone", c.Target),
		Remedy:  "remove it; if the function was renamed, name it anew",
	}
}

func targetUnused(what string, t Target) Finding {
	return Finding{
		Kind: TargetUnused, Target: &t, Place: t.Place,
		Message: fmt.Sprintf("the %s for %s is about no function", what, t),
		Remedy:  "remove it if the function is gone, or if another before it is about the same; if it was renamed, name it anew",
	}
}
