package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/observe"
)

func observations() []observe.Observation {
	entry := func(depth, size int, function, module string) observe.Entry {
		return observe.Entry{Depth: depth, Size: size, Function: function, Module: module}
	}
	return []observe.Observation{{
		Title: "receiving", Bytes: 4224, ModuleBytes: 1200, Findings: []observe.Finding{
			{Kind: observe.FrameExceeded, Function: "arc_read", Message: "arc_read took 256 bytes, and gcc (.su) says 248 (static)", Remedy: "report it"},
		},
		Steps: []observe.Step{
			{Entry: entry(4224, 48, "mutex_lock", ""), Remarks: []string{"was just entered; the bytes are the tracer's"}},
			{Entry: entry(4176, 256, "arc_read", "zfs"), BoundBytes: 248, AtCallBytes: 256},
			{Entry: entry(3920, 944, "zfs_ioc_recv", "zfs"), BoundBytes: 1000},
		},
		Run: &observe.Run{From: "zfs_ioc_recv", To: "arc_read", Calls: 2, ObservedBytes: 1200, FrameBytes: 1248, BetweenBytes: 6000, WorstFrom: "zfs_ioc_recv", BelowBytes: 1208,
			WorstBytes: 9000, Verdict: &callgraph.Verdict{Indirect: 1}, LowerBound: true},
	}}
}

func TestObservations(t *testing.T) {
	want := `receiving: 4,224 B deep, 1,200 B of them in modules; from zfs_ioc_recv to arc_read 1,200 B, by their frames 1,248 B, at the deepest between them 6,000 B; from zfs_ioc_recv on 1,208 B, at the deepest at least 9,000 B
depth  bytes  at call  bound  slack  function            remark
4,224     48                         mutex_lock          was just entered; the bytes are the tracer's
4,176    256      256    248     -8  arc_read [zfs]
3,920    944           1,000     56  zfs_ioc_recv [zfs]

findings
kind            function  message
frame-exceeded  arc_read  arc_read took 256 bytes, and gcc (.su) says 248 (static); report it
2 frames compared with their bounds: 1 finding
`
	var got strings.Builder
	if err := Observations(observations()).Write(&got, TableFormat, 0); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("observations (-want +got):\n%s", diff)
	}
}

func TestObservedLine(t *testing.T) {
	var got strings.Builder
	observed(&got, observations())
	want := "observed 4,224 B of stack at most, receiving: 1,200 B from zfs_ioc_recv to arc_read, between which known calls take up to 6,000 B; " +
		"2 frames held against their bounds, 1 call against ORC or code\n"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	got.Reset()
	if observed(&got, nil); got.String() != "" {
		t.Errorf("of no run: %q", got.String())
	}
}
