package report

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// StackFindings shows what was found in a build of so many frames.
func StackFindings(findings []stackcheck.Finding, frames int, limits stackcheck.Limits) Listing {
	against := []string{bytes(limits.FrameBytes), count(len(limits.Waivers), "waiver")}
	if limits.Baseline != nil {
		against = append(against, "a baseline")
	}
	last := len(against) - 1
	l := Listing{
		Suite: "stack", Rules: stackRules(limits),
		Summary: fmt.Sprintf("%s checked against %s and %s: %s", count(frames, "frame"),
			strings.Join(against[:last], ", "), against[last], count(len(findings), "finding")),
		JSON: struct {
			Frames     int                  `json:"frames"` // that were checked
			LimitBytes int                  `json:"limit_bytes"`
			Findings   []stackcheck.Finding `json:"findings"`
		}{frames, limits.FrameBytes, append([]stackcheck.Finding{}, findings...)},
	}
	t := Table{Columns: []string{"finding", "position", "what", "remedy"}}
	seen := make(map[string]int)
	for _, f := range findings {
		a := at(f.Place, f.Message+"; "+f.Remedy)
		a.Title, a.Fingerprint, a.Steps = string(f.Kind), fingerprint(f), steps(f.Path)
		if seen[a.Fingerprint]++; seen[a.Fingerprint] > 1 { // clones
			a.Fingerprint += fmt.Sprintf("/%d", seen[a.Fingerprint])
		}
		l.Annotations = append(l.Annotations, a)
		t.Rows = append(t.Rows, []any{string(f.Kind), position(a.File, a.Line, a.Column), f.Message, f.Remedy})
	}
	l.Tables = []Table{t}
	return l
}

func at(p callgraph.Position, message string) Annotation {
	return Annotation{File: p.File, Line: p.Line, Column: p.Column, Message: message}
}

// steps are the calls of a path, each where it is made, or where the function is, as for the first.
func steps(p *callgraph.Path) []Annotation {
	if p == nil {
		return nil
	}
	var all []Annotation
	sum := 0
	for _, s := range p.Steps {
		sum += s.Bytes
		where := s.Site
		if where == (callgraph.Position{}) {
			where = callgraph.Position{File: s.Frame.File, Line: s.Frame.Line, Column: s.Frame.Column}
		}
		all = append(all, at(where, fmt.Sprintf("%s takes %s, %s so far", stepName(s), bytes(s.Bytes), bytes(sum))))
	}
	return all
}

// fingerprint identifies a finding by what it is about: neither by lines nor by sizes, nor by the clone that the compiler made.
func fingerprint(f stackcheck.Finding) string {
	about := []string{string(f.Kind)}
	function := func(f frame.Frame) { about = append(about, f.File, frame.BaseName(f.Function), f.Object) }
	switch {
	case f.Frame != nil:
		function(*f.Frame)
	case f.Path != nil:
		function(f.Path.Steps[0].Frame)
	case f.Waiver != nil:
		about = append(about, f.Waiver.Target.String())
	case f.Target != nil:
		about = append(about, f.Target.String())
	}
	sum := sha256.Sum256([]byte(strings.Join(about, "\x00")))
	return fmt.Sprintf("%x", sum[:16])
}

// stackRules are all, and why those that the limits do not speak of are not checked.
func stackRules(l stackcheck.Limits) []Rule {
	var rules []Rule
	for _, kind := range stackcheck.FindingKinds {
		r := Rule{ID: string(kind.Kind), What: kind.What}
		switch kind.Kind {
		case stackcheck.FrameNew, stackcheck.FrameGrown, stackcheck.PathGrown:
			if l.Baseline == nil {
				r.Skipped = "there is no baseline"
			}
		case stackcheck.PathAboveLimit:
			own := func(limit stackcheck.Limit) bool { return limit.PathBytes > 0 }
			if l.PathBytes == 0 && !slices.ContainsFunc(l.Particular, own) {
				r.Skipped = "there is no limit of paths"
			}
		}
		rules = append(rules, r)
	}
	return rules
}
