package stackcheck

import (
	"errors"
	"fmt"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// A FindingKind says what was found. The values are stable: reports and baselines keep them.
type FindingKind string

const (
	FrameAboveLimit FindingKind = "frame-above-limit" // no waiver
	WaiverExceeded  FindingKind = "waiver-exceeded"   // the frame is above the ceiling of its waiver
	PathAboveLimit  FindingKind = "path-above-limit"  // the deepest path of the build
	WaiverUnused    FindingKind = "waiver-unused"     // no frame above the limit matches the waiver
)

// A Finding is one thing that has to change. Frame, Path and Waiver are what it is about, as far as it has them.
type Finding struct {
	Kind       FindingKind     `json:"kind"`
	Frame      *frame.Frame    `json:"frame,omitempty"`
	Path       *callgraph.Path `json:"path,omitempty"`
	Waiver     *Waiver         `json:"waiver,omitempty"`
	LimitBytes int             `json:"limit_bytes,omitempty"` // what was exceeded: the limit, or the waiver's ceiling
	Message    string          `json:"message"`
	Remedy     string          `json:"remedy"`
}

// Check compares a build with limits. Findings come in this order: frames, in the order of the build; the deepest path;
// unused waivers, in the order of the limits. Check fails when the limits are not valid, and when there is a limit of
// paths but no call graph.
func Check(b Build, l Limits) ([]Finding, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	var findings []Finding
	used := make([]bool, len(l.Waivers))
	for _, f := range b.Frames {
		if f.Bytes <= l.FrameBytes {
			continue
		}
		if finding, ok := l.frame(f, used); ok {
			findings = append(findings, finding)
		}
	}
	if l.PathBytes > 0 {
		if b.Graph == nil {
			return findings, errors.New("checking stack paths: the build has no call graph (.ci);" +
				" build with gcc 10 or later and KCFLAGS='-fstack-usage -fcallgraph-info=su,da', or remove the path limit")
		}
		if worst := b.Graph.Worst(); worst.Bytes > l.PathBytes {
			findings = append(findings, pathAboveLimit(worst, l.PathBytes))
		}
	}
	for i, w := range l.Waivers {
		if !used[i] {
			findings = append(findings, waiverUnused(w))
		}
	}
	return findings, nil
}

// frame judges a frame above the limit. Of several waivers that match, the one with the highest ceiling counts.
func (l Limits) frame(f frame.Frame, used []bool) (Finding, bool) {
	var widest *Waiver
	for i, w := range l.Waivers {
		if !w.matches(f) {
			continue
		}
		used[i] = true
		if widest == nil || w.CeilingBytes > widest.CeilingBytes {
			widest = &w
		}
	}
	switch {
	case widest == nil:
		return Finding{
			Kind: FrameAboveLimit, Frame: &f, LimitBytes: l.FrameBytes,
			Message: fmt.Sprintf("%s takes %d bytes of stack (%s), the limit is %d", f.Function, f.Bytes, f.Kind, l.FrameBytes),
			Remedy:  "allocate its large local variables on the heap, or move them into a noinline function off the deep paths; or add a waiver with a reason and a ceiling",
		}, true
	case f.Bytes > widest.CeilingBytes:
		return Finding{
			Kind: WaiverExceeded, Frame: &f, Waiver: widest, LimitBytes: widest.CeilingBytes,
			Message: fmt.Sprintf("%s takes %d bytes of stack (%s), its waiver allows %d", f.Function, f.Bytes, f.Kind, widest.CeilingBytes),
			Remedy:  "find what made the frame grow and undo it, or raise the waiver's ceiling if its reason still holds",
		}, true
	}
	return Finding{}, false
}

func pathAboveLimit(worst callgraph.Path, limit int) Finding {
	first, last := worst.Steps[0].Frame.Function, worst.Steps[len(worst.Steps)-1].Frame.Function
	return Finding{
		Kind: PathAboveLimit, Path: &worst, LimitBytes: limit,
		Message: fmt.Sprintf("the calls from %s to %s take %d bytes of stack (%s), the limit is %d",
			first, last, worst.Bytes, worst.Verdict, limit),
		Remedy: "make the largest frames on the path smaller, or break the path by handing work to a task queue",
	}
}

func waiverUnused(w Waiver) Finding {
	return Finding{
		Kind: WaiverUnused, Waiver: &w,
		Message: fmt.Sprintf("the waiver for %s matches no frame above the limit", w.target()),
		Remedy:  "remove the waiver if the frame is gone or small enough now; if the function was renamed, name it anew",
	}
}
