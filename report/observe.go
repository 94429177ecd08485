package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck/observe"
)

// Observations shows what runs used of the stack beside what is known without running, a table each, and then what was found.
func Observations(all []observe.Observation) Listing {
	l := Listing{JSON: struct {
		Observations []observe.Observation `json:"observations"`
	}{all}}
	found := Table{Title: "findings", Columns: []string{"kind", "function", "message"}}
	compared := 0
	for _, o := range all {
		l.Tables = append(l.Tables, observation(o))
		for _, s := range o.Steps {
			if s.BoundBytes > 0 {
				compared++
			}
		}
		for _, f := range o.Findings {
			found.Rows = append(found.Rows, []any{string(f.Kind), f.Function, f.Message + "; " + f.Remedy})
		}
	}
	if len(found.Rows) > 0 {
		l.Tables = append(l.Tables, found)
	}
	l.Summary = fmt.Sprintf("%s compared with their bounds: %s", count(compared, "frame"), count(len(found.Rows), "finding"))
	return l
}

func observation(o observe.Observation) Table {
	t := Table{Title: observationTitle(o), Columns: []string{"depth", "bytes", "at call", "bound", "slack", "function", "remark"}}
	for _, s := range o.Steps {
		function := s.Function
		if s.Module != "" {
			function += " [" + s.Module + "]"
		}
		row := []any{s.Depth, s.Size, "", "", "", function, strings.Join(s.Remarks, "; ")}
		if s.AtCallBytes > 0 {
			row[2] = s.AtCallBytes
		}
		if s.BoundBytes > 0 {
			row[3], row[4] = s.BoundBytes, s.Slack()
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func observationTitle(o observe.Observation) string {
	var b strings.Builder
	if o.Title != "" {
		b.WriteString(o.Title + ": ")
	}
	fmt.Fprintf(&b, "%s deep, %s of them in modules", bytes(o.Bytes), bytes(o.ModuleBytes))
	if r := o.Run; r != nil {
		fmt.Fprintf(&b, "; from %s to %s %s", r.From, r.To, bytes(r.ObservedBytes))
		if r.FrameBytes > 0 {
			fmt.Fprintf(&b, ", by their frames %s", bytes(r.FrameBytes))
		}
		if r.BetweenBytes > 0 {
			fmt.Fprintf(&b, ", at the deepest between them %s", bytes(r.BetweenBytes))
		}
		if r.WorstBytes > 0 {
			fmt.Fprintf(&b, "; from %s on %s, at the deepest %s", r.WorstFrom, bytes(r.BelowBytes), bound(r.WorstBytes, r.LowerBound))
		}
	}
	return b.String()
}

// observed writes a line about the deepest of what runs used, or none.
func observed(b *strings.Builder, all []observe.Observation) {
	if len(all) == 0 {
		return
	}
	deepest := slices.MaxFunc(all, func(x, y observe.Observation) int { return cmp.Compare(x.Bytes, y.Bytes) })
	frames, calls := 0, 0
	for _, o := range all {
		for _, s := range o.Steps {
			if s.BoundBytes > 0 {
				frames++
			}
			if s.AtCallBytes > 0 {
				calls++
			}
		}
	}
	fmt.Fprintf(b, "observed %s of stack at most", bytes(deepest.Bytes))
	if deepest.Title != "" {
		fmt.Fprintf(b, ", %s", printable(deepest.Title))
	}
	if r := deepest.Run; r != nil {
		fmt.Fprintf(b, ": %s from %s to %s", bytes(r.ObservedBytes), printable(r.From), printable(r.To))
		if r.BetweenBytes > 0 {
			fmt.Fprintf(b, ", between which known calls take up to %s", bytes(r.BetweenBytes))
		}
	}
	fmt.Fprintf(b, "; %s held against their bounds, %s against ORC or code\n", count(frames, "frame"), count(calls, "call"))
}
