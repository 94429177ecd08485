package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// found are findings of each shape: about a frame, a path, a waiver, and a target without place.
func found() Listing {
	f := frame.Frame{Function: "f.constprop", File: "module/zfs/f.c", Line: 3, Column: 5, Bytes: 4096, Kind: frame.Static, Object: "module/zfs/f.o"}
	g := frame.Frame{Function: "g", File: "/usr/src/linux/g h.h", Line: 7, Bytes: 100}
	path := callgraph.Path{Bytes: 4196, Steps: []callgraph.Step{
		{Frame: f, Bytes: 4096}, {Frame: g, Bytes: 100, Site: callgraph.Position{File: "module/zfs/f.c", Line: 9, Column: 2}},
	}}
	place := callgraph.Position{File: f.File, Line: f.Line, Column: f.Column}
	return StackFindings([]stackcheck.Finding{
		{Kind: stackcheck.FrameAboveLimit, Frame: &f, Place: place, Message: "f takes much", Remedy: "take less"},
		{Kind: stackcheck.FrameAboveLimit, Frame: &f, Place: place, Message: "f takes much", Remedy: "take less"},
		{Kind: stackcheck.FrameNew, Frame: &g, Place: callgraph.Position{File: g.File, Line: g.Line}, Message: "g is new", Remedy: "no"},
		{Kind: stackcheck.PathAboveLimit, Path: &path, Place: place, Message: "f to g", Remedy: "cut it"},
		{Kind: stackcheck.WaiverUnused, Waiver: &stackcheck.Waiver{Target: stackcheck.Target{Function: "x"}},
			Place: callgraph.Position{File: "kmodaudit.toml", Line: 4}, Message: "unused\x1b\u009b", Remedy: "remove it"},
		{Kind: stackcheck.TargetUnused, Target: &stackcheck.Target{Function: "y"}, Message: "of nothing", Remedy: "remove it"},
	}, 2, stackcheck.Limits{FrameBytes: 2048})
}

func written(t *testing.T, l Listing, f Format) string {
	t.Helper()
	var b strings.Builder
	if err := l.Write(&b, f, 0); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func value(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What is written is what the standard's schema says.
func TestSARIFSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]Listing{"findings": found(), "none": StackFindings(nil, 0, stackcheck.Limits{}), "hostile": hostile} {
		if err := schema.Validate(value(t, written(t, l, SARIFFormat))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if schema.Validate(value(t, `{"version":"2.1.0","runs":[{"results":[]}]}`)) == nil {
		t.Error("the schema accepts a run without a tool")
	}
}

func TestSARIF(t *testing.T) {
	var results []string
	run := value(t, written(t, found(), SARIFFormat)).(map[string]any)["runs"].([]any)[0].(map[string]any)
	for _, r := range run["results"].([]any) {
		result := r.(map[string]any)
		text := result["ruleId"].(string)
		if locations, ok := result["locations"].([]any); ok {
			text += " " + where(locations[0])
		}
		if flows, ok := result["codeFlows"].([]any); ok {
			for _, step := range flows[0].(map[string]any)["threadFlows"].([]any)[0].(map[string]any)["locations"].([]any) {
				text += ", " + where(step.(map[string]any)["location"])
			}
		}
		results = append(results, text)
	}
	want := []string{
		"frame-above-limit %SRCROOT%module/zfs/f.c",
		"frame-above-limit %SRCROOT%module/zfs/f.c",
		"frame-new file:///usr/src/linux/g%20h.h",
		"path-above-limit %SRCROOT%module/zfs/f.c, %SRCROOT%module/zfs/f.c, %SRCROOT%module/zfs/f.c",
		"waiver-unused %SRCROOT%kmodaudit.toml",
		"target-unused",
	}
	if diff := cmp.Diff(want, results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

func where(location any) string {
	artifact := location.(map[string]any)["physicalLocation"].(map[string]any)["artifactLocation"].(map[string]any)
	base, _ := artifact["uriBaseId"].(string)
	return base + artifact["uri"].(string)
}

// A fingerprint outlives moved lines, other sizes and other clones, and no two findings share one.
func TestFingerprints(t *testing.T) {
	l := found()
	seen := make(map[string]bool)
	for _, a := range l.Annotations {
		if seen[a.Fingerprint] || a.Fingerprint == "" {
			t.Errorf("the fingerprint %q of %s is not its own", a.Fingerprint, a.Message)
		}
		seen[a.Fingerprint] = true
	}
	moved := frame.Frame{Function: "f.isra", File: "module/zfs/f.c", Line: 30, Bytes: 8000, Object: "module/zfs/f.o"}
	if got := fingerprint(stackcheck.Finding{Kind: stackcheck.FrameAboveLimit, Frame: &moved}); got != l.Annotations[0].Fingerprint {
		t.Errorf("fingerprint %s, want %s", got, l.Annotations[0].Fingerprint)
	}
}

func TestJUnit(t *testing.T) {
	got := written(t, found(), JUnitFormat)
	for _, want := range []string{
		`<testsuite name="stack" tests="10" failures="5" skipped="2">`,
		`<testcase classname="kmodaudit.stack" name="frame-above-limit">` + "\n" +
			`      <failure message="A function takes more stack than the limit. 2 findings">module/zfs/f.c:3:5: f takes much; take less&#xA;module/zfs/f.c:3:5: f takes much; take less</failure>`,
		`<testcase classname="kmodaudit.stack" name="frame-unbounded"></testcase>`,
		`<skipped message="there is no baseline"></skipped>`,
		"kmodaudit.toml:4: unused..; remove it",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
