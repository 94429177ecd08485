package stackcheck

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// A gate of one build against limits and an earlier one. Functions in lower case are local, see made.
func TestGate(t *testing.T) {
	const build = `
a.c:10 ioctl 100 work
a.c:20 work 300 Sink
b.c:10 Unused 900 helper
b.c:20 helper 200
`
	target := func(function string) Target { return Target{Function: function} }
	path := func(function string, ceiling int) Waiver {
		return Waiver{Target: target(function), PathCeilingBytes: ceiling, Reason: "test"}
	}
	unreached := func(function string) Waiver {
		return Waiver{Target: target(function), CeilingBytes: 1000, Reason: "test", Unreached: true}
	}
	baseline := func(text string) *Baseline { return &Baseline{Build: made(t, text), NewFrameBytes: 250} }
	tests := []struct {
		name   string
		limits Limits
		want   []string
	}{
		{"nothing", Limits{FrameBytes: 900}, nil},
		{"unreached", Limits{FrameBytes: 250}, []string{
			"frame-above-limit: work takes 300 bytes of stack (static), the limit is 250",
			"frame-above-limit: Unused takes 900 bytes of stack (static), the limit is 250; no known entry point leads to it"}},
		{"reached by an entry", Limits{FrameBytes: 300, Entries: []Entry{{target("Unused")}}}, []string{
			"frame-above-limit: Unused takes 900 bytes of stack (static), the limit is 300"}},
		{"no such entry", Limits{FrameBytes: 900, Entries: []Entry{{target("gone_*")}}}, []string{
			"target-unused: the entry for gone_* is about no function"}},
		{"waived while unreached", Limits{FrameBytes: 300, Waivers: []Waiver{unreached("Unused")}}, nil},
		{"waived while unreached, but reached", Limits{FrameBytes: 250, Waivers: []Waiver{unreached("*")}}, []string{
			"frame-above-limit: work takes 300 bytes of stack (static), the limit is 250"}},
		{"waived while unreached, unused", Limits{FrameBytes: 250, Waivers: []Waiver{waive("", "Unused", 900), unreached("work")}}, []string{
			"frame-above-limit: work takes 300 bytes of stack (static), the limit is 250",
			"waiver-unused: the waiver for work matches no frame above the limit that is not reached"}},
		{"particular limits, the first counts", Limits{FrameBytes: 900, Particular: []Limit{
			{Target: target("helper"), FrameBytes: 100}, {Target: target("h*"), FrameBytes: 10}, {Target: Target{File: "c/**"}, FrameBytes: 1}}}, []string{
			"frame-above-limit: helper takes 200 bytes of stack (static), the limit is 100; no known entry point leads to it",
			"target-unused: the limit for h* is about no function",
			"target-unused: the limit for c/** is about no function"}},
		{"paths", Limits{FrameBytes: 900, PathBytes: 350}, []string{
			"path-above-limit: the calls from Unused to helper take 1100 bytes of stack (exact), the limit is 350; so it is from 1 more"}},
		{"paths, one waived", Limits{FrameBytes: 900, PathBytes: 350, Waivers: []Waiver{path("Unused", 1100)}}, []string{
			"path-above-limit: the calls from ioctl to work take 400 bytes of stack (lower bound: 1 external function), the limit is 350"}},
		{"paths, above the ceiling", Limits{FrameBytes: 900, PathBytes: 400, Waivers: []Waiver{path("Unused", 1000), path("work", 500)}}, []string{
			"waiver-exceeded: the calls from Unused to helper take 1100 bytes of stack (exact), the waiver allows 1000",
			"waiver-unused: the waiver for work matches no path above the limit"}},
		{"path of one function", Limits{FrameBytes: 900, Particular: []Limit{{Target: target("work"), PathBytes: 299}}}, []string{
			"path-above-limit: work alone takes 300 bytes of stack (lower bound: 1 external function), the limit is 299"}},
		{"expired", Limits{FrameBytes: 300, Today: "2026-12-01", Waivers: []Waiver{
			{Target: target("Unused"), CeilingBytes: 900, Reason: "until the rewrite", Expires: "2026-11-30"}}}, []string{
			"waiver-expired: the waiver for Unused expired on 2026-11-30; its reason was: until the rewrite"}},
		{"on its last day", Limits{FrameBytes: 300, Today: "2026-11-30", Waivers: []Waiver{
			{Target: target("Unused"), CeilingBytes: 900, Reason: "until the rewrite", Expires: "2026-11-30"}}}, nil},
		{"the baseline is the same", Limits{FrameBytes: 900, Baseline: baseline(build)}, nil},
		{"grown", Limits{FrameBytes: 900, Baseline: baseline("a.c:1 ioctl 100 work\na.c:2 work 200 Sink\nb.c:10 Unused 900 helper\nb.c:20 helper 100")}, []string{
			"frame-grown: work takes 300 bytes of stack (static), 100 more than in the baseline",
			"frame-grown: helper takes 200 bytes of stack (static), 100 more than in the baseline; no known entry point leads to it",
			"path-grown: the calls from Unused to helper take 1100 bytes of stack (exact), 100 more than the deepest path in the baseline; so it is from 1 more"}},
		{"grown, but waived", Limits{FrameBytes: 900, Waivers: []Waiver{waive("", "work", 300), path("ioctl", 400)},
			Baseline: baseline("a.c:1 ioctl 100 work\na.c:2 work 200 Sink\nb.c:10 Unused 900 helper\nb.c:20 helper 200")}, nil},
		{"new", Limits{FrameBytes: 900, Baseline: baseline("a.c:1 ioctl 100\nb.c:10 Unused 900 helper\nb.c:20 helper 200")}, []string{
			"frame-new: work takes 300 bytes of stack (static), and is not in the baseline, after which new frames have to be below 250",
			"path-grown: the calls from ioctl to work take 400 bytes of stack (lower bound: 1 external function), 300 more than the deepest path in the baseline"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			findings, err := Check(made(t, build), test.limits)
			if diff := cmp.Diff(test.want, summarize(findings)); diff != "" || err != nil {
				t.Errorf("error %v, findings (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestGrowthThatIsAllowed(t *testing.T) {
	before, after := made(t, "a.c:1 f 100"), made(t, "a.c:1 f 164")
	for allowed, want := range map[int][]string{
		64: nil,
		63: {"frame-grown: f takes 164 bytes of stack (static), 64 more than in the baseline",
			"path-grown: f alone takes 164 bytes of stack (exact), 64 more than the deepest path in the baseline"},
	} {
		findings, err := Check(after, Limits{FrameBytes: 2048, Baseline: &Baseline{Build: before, FrameGrowthBytes: allowed, PathGrowthBytes: allowed}})
		if diff := cmp.Diff(want, summarize(findings)); diff != "" || err != nil {
			t.Errorf("error %v, findings (-want +got):\n%s", err, diff)
		}
	}
}

// A frame that grows at run time is found however small it is. ORC only says that it does not know more.
func TestUnboundedFrames(t *testing.T) {
	f := frame.Frame{Function: "vla", Bytes: 16, Kind: frame.Dynamic, Source: frame.SourceSU}
	g := frame.Frame{Function: "aligned", Bytes: 16, Kind: frame.Dynamic, Source: frame.SourceORC}
	findings, err := Check(ofFrames(f, g), Limits{FrameBytes: 2048})
	want := []string{"frame-unbounded: vla takes 16 bytes of stack and more at run time, without a bound"}
	if diff := cmp.Diff(want, summarize(findings)); diff != "" || err != nil {
		t.Errorf("error %v, findings (-want +got):\n%s", err, diff)
	}
	if findings, err := Check(ofFrames(f, g), Limits{FrameBytes: 2048, Waivers: []Waiver{waive("", "vla", 16)}}); err != nil || findings != nil {
		t.Errorf("with a waiver: %v, error %v", summarize(findings), err)
	}
}

// The 20 large frames of OpenZFS's zstd: nothing is known to call them.
func TestReachOfRecording(t *testing.T) {
	findings, err := Check(openzfs(t), Limits{FrameBytes: 2048})
	if err != nil {
		t.Fatal(err)
	}
	reach := make(map[Reach][]string)
	for _, f := range findings {
		reach[f.Reach] = append(reach[f.Reach], f.Frame.Function)
	}
	if len(reach[Unreached]) != 20 || len(reach) != 1 {
		t.Errorf("reached: %v", reach)
	}
}
