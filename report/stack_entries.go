package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// An EntryPoint is a function at which paths begin, and the deepest of them.
type EntryPoint struct {
	Frame         frame.Frame       `json:"frame"`
	Group         callgraph.Group   `json:"group"`
	Reason        string            `json:"reason,omitempty"`
	Bytes         int               `json:"bytes"`
	NoReturnBytes int               `json:"noreturn_bytes"` // with functions that do not return
	Verdict       callgraph.Verdict `json:"verdict"`
	LowerBound    bool              `json:"lower_bound"`
}

// EntryPoints shows where paths begin, a table for each group, in it the top deepest, all for 0.
func EntryPoints(all []EntryPoint, top int) Listing {
	slices.SortStableFunc(all, func(a, b EntryPoint) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(b.NoReturnBytes, a.NoReturnBytes), frame.Compare(a.Frame, b.Frame))
	})
	l := Listing{Summary: count(len(all), "entry point")}
	shown := []EntryPoint{}
	for _, group := range callgraph.Groups {
		of := slices.DeleteFunc(slices.Clone(all), func(e EntryPoint) bool { return e.Group != group.Group })
		if len(of) == 0 {
			continue
		}
		kept := of
		if top > 0 {
			kept = of[:min(top, len(of))]
		}
		shown = append(shown, kept...)
		l.Tables = append(l.Tables, entryPoints(kept, fmt.Sprintf("%s: %s, %s", group.Group, group.What, count(len(of), "function"))))
	}
	l.JSON = struct {
		EntryPoints []EntryPoint `json:"entry_points"`
	}{shown}
	return l
}

func entryPoints(all []EntryPoint, title string) Table {
	t := Table{Title: title, Columns: []string{"bytes", "not returning", "function", "why", "verdict"}}
	for _, e := range all {
		t.Rows = append(t.Rows, []any{e.Bytes, e.NoReturnBytes, e.Frame.Function, e.Reason, e.Verdict.String()})
	}
	return t
}
