package audit

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

func TestStackLimits(t *testing.T) {
	dir := project(t, map[string]string{ConfigName: `
[stack]
path_limit_bytes = 9000
entry = "open_*"
[[stack.limit]]
function = "f"
path_bytes = 100
`})
	l := read(t, dir).StackLimits()
	file := filepath.Join(dir, ConfigName)
	if l.PathBytes != 9000 || l.FrameBytes != 2048 || l.Baseline != nil || l.Today < "2026-01-01" {
		t.Errorf("limits %+v", l)
	}
	want := []stackcheck.Entry{{Target: stackcheck.Target{Function: "open_*", Place: callgraph.Position{File: file}}}}
	if diff := cmp.Diff(want, l.Entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// Findings of the configuration are shown where it says so.
func TestStackPlaces(t *testing.T) {
	dir := project(t, map[string]string{ConfigName: `
[[stack.waiver]]
function = "f"
[[stack.limit]]
function = "f"
[[stack.waiver]]
function = "g"
`})
	l := read(t, dir).StackLimits()
	got := []int{l.Waivers[0].Place.Line, l.Waivers[1].Place.Line, l.Particular[0].Place.Line}
	if diff := cmp.Diff([]int{2, 6, 4}, got); diff != "" {
		t.Errorf("lines of waivers and limits (-want +got):\n%s", diff)
	}
}

// The baseline is relative to the configuration, and what has grown since is found.
func TestStackBaseline(t *testing.T) {
	dir := project(t, map[string]string{
		"zfs/include/a.h": "/* a */\n",
		"zfs/m.su":        "m.c:1:1:f\t80\tstatic\n",
		"old/m.su":        "m.c:1:1:f\t64\tstatic\n",
		ConfigName:        "[stack.baseline]\nsnapshot = \"base.json\"\n",
	})
	old, err := stackcheck.Read(filepath.Join(dir, "old"))
	if err != nil {
		t.Fatal(err)
	}
	if s := run(t, dir).Stack; s.Verdict != Failed || !strings.Contains(s.Error, "reading the baseline: ") || s.Frames != 1 {
		t.Errorf("without the baseline: %s: %s", s.Verdict, s.Error)
	}
	if err := stackcheck.WriteSnapshotFile(filepath.Join(dir, "base.json"), old); err != nil {
		t.Fatal(err)
	}
	s := run(t, dir).Stack
	want := []Finding{{Where: "m.c:1:1", What: "f takes 80 bytes of stack (static), 16 more than in the baseline",
		Remedy: "find what made the frame grow and undo it; or record the baseline anew (kmodaudit stack snapshot -o FILE PATH) if this is meant to be"}}
	if diff := cmp.Diff(want, s.Findings); diff != "" || s.Verdict != Findings {
		t.Errorf("%s: %s; findings (-want +got):\n%s", s.Verdict, s.Error, diff)
	}
}
