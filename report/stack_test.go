package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

func TestPaths(t *testing.T) {
	f, g := frame.Frame{Function: "f", Bytes: 16}, frame.Frame{Function: "g", Bytes: 8}
	paths := []callgraph.Path{
		{Bytes: 2024, Verdict: callgraph.Verdict{Cycles: 1, Indirect: 2}, Steps: []callgraph.Step{
			{Frame: f, Bytes: 2000, Cycle: []frame.Frame{f, g}},
			{Frame: g, Bytes: 24, Cycle: []frame.Frame{g}, Site: callgraph.Position{File: "f.c", Line: 7}},
		}},
		{Bytes: 8, Steps: []callgraph.Step{{Frame: g, Bytes: 8}}},
	}
	want := `2,024 B from f to g (lower bound: 2 indirect calls, 1 cycle)
bytes    sum  function                                      called at
2,000  2,000  f (a cycle of 2 functions, charged one turn)
   24  2,024  g (a cycle of 1 function, charged one turn)   f.c:7

8 B in g (exact)
bytes  sum  function  called at
    8    8  g
`
	var got strings.Builder
	if err := Paths(paths).Write(&got, TableFormat, 0); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
}

// Lists that are empty are lists in JSON, not null.
func TestEmptyStackListings(t *testing.T) {
	for name, listing := range map[string]Listing{
		"frames": Frames(nil, 0, false), "paths": Paths(nil), "findings": StackFindings(nil, 0, stackcheck.Limits{FrameBytes: 1}),
	} {
		var got strings.Builder
		if err := listing.Write(&got, JSONFormat, 0); err != nil {
			t.Fatal(err)
		}
		if want := `"` + name + `": []`; !strings.Contains(got.String(), want) {
			t.Errorf("%s: %s, want %s in it", name, got.String(), want)
		}
	}
}
