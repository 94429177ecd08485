package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

func TestStackDiff(t *testing.T) {
	of := func(function string, bytes int, kind frame.Kind) *frame.Frame {
		return &frame.Frame{Function: function, File: "m.c", Line: 3, Bytes: bytes, Kind: kind}
	}
	many := []frame.Frame{*of("a", 1, ""), *of("b", 1, ""), *of("c", 1, ""), *of("d", 1, "")}
	d := stackcheck.Diff{
		Old: stackcheck.Totals{Frames: 1004, Bytes: 9000, Worst: &callgraph.Path{Bytes: 1000}},
		New: stackcheck.Totals{Frames: 1003, Bytes: 10000, Worst: &callgraph.Path{Bytes: 1200, Verdict: callgraph.Verdict{Cycles: 1}}},
		Frames: []stackcheck.Change{
			{Kind: stackcheck.InlinedAway, DeltaBytes: -1500, Old: of("gone", 1500, ""), Into: many},
			{Kind: stackcheck.New, DeltaBytes: 1000, New: of("fresh", 1000, ""), From: many[:1]},
			{Kind: stackcheck.Shrunk, DeltaBytes: -8, Old: of("f", 16, ""), New: of("f", 8, "")},
			{Kind: stackcheck.KindChanged, Old: of("vla", 16, frame.Static), New: of("vla", 16, frame.Dynamic)},
		},
		Paths: []stackcheck.PathChange{{Kind: stackcheck.Gone, DeltaBytes: -64, Function: *of("entry", 8, ""), OldBytes: 64}},
		Same:  1000,
	}
	const summary = "1,003 frames, before 1,004: 1 shrunk, 1 kind-changed, 1 new, 1 inlined, 1,000 the same;" +
		" all frames together 10,000 B, before 9,000 B; the deepest path at least 1,200 B, before 1,000 B\n"
	const paths = `
deepest paths
change  old  new  what  from   position
   -64   64       gone  entry  m.c:3
`
	for top, want := range map[int]string{
		0: `frames
change    old    new  what                           function  position
-1,500  1,500         inlined into a, b, c, 1 other  gone      m.c:3
+1,000         1,000  new, was part of a             fresh     m.c:3
    -8     16      8  shrunk                         f         m.c:3
     0     16     16  dynamic, was static            vla       m.c:3
` + paths + summary,
		2: `frames
change    old    new  what                           function    position
-1,500  1,500         inlined into a, b, c, 1 other  gone        m.c:3
+1,000         1,000  new, was part of a             fresh       m.c:3
    -8                                               [2 others]
` + paths + summary,
	} {
		if diff := cmp.Diff(want, written(t, StackDiff(d, top), TableFormat)); diff != "" {
			t.Errorf("top %d (-want +got):\n%s", top, diff)
		}
	}
}
