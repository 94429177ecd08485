package stackcheck

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

func summarize(findings []Finding) []string {
	var all []string
	for _, f := range findings {
		all = append(all, fmt.Sprintf("%s: %s", f.Kind, f.Message))
	}
	return all
}

func waive(file, function string, ceiling int) Waiver {
	return Waiver{Target: Target{File: file, Function: function}, CeilingBytes: ceiling, Reason: "test"}
}

func ofFrames(frames ...frame.Frame) Build {
	var b Build
	for i := range frames {
		b.Functions = append(b.Functions, Function{frames[i : i+1]})
	}
	return b
}

func TestCheck(t *testing.T) {
	of := func(file, function string, bytes int) frame.Frame {
		return frame.Frame{File: file, Function: function, Bytes: bytes, Kind: frame.Static}
	}
	b := ofFrames(
		of("m/zstd/lib/zstd.c", "decompress", 18488), of("m/zstd/lib/zstd.c", "compress.constprop", 4096),
		of("m/zfs/dmu.c", "heavy", 2049), of("m/zfs/dmu.c", "at_limit", 2048), of("m/zfs/dmu.c", "light", 8),
	)
	heavy := waive("", "heavy", 2049)
	const (
		decompress = "frame-above-limit: decompress takes 18488 bytes of stack (static), the limit is 2048"
		compress   = "frame-above-limit: compress.constprop takes 4096 bytes of stack (static), the limit is 2048"
	)
	tests := []struct {
		name    string
		waivers []Waiver
		want    []string
	}{
		{"none", nil, []string{decompress, compress, "frame-above-limit: heavy takes 2049 bytes of stack (static), the limit is 2048"}},
		{"by file", []Waiver{waive("m/zstd/**", "", 20000), heavy}, nil},
		{"by file, one level", []Waiver{waive("m/zstd/*", "", 20000), heavy}, []string{decompress, compress,
			"waiver-unused: the waiver for m/zstd/* matches no frame above the limit"}},
		{"by function, clones included", []Waiver{heavy, waive("", "*compress", 20000)}, nil},
		{"by clone", []Waiver{heavy, waive("", "compress.constprop", 4096)}, []string{decompress}},
		{"exceeded", []Waiver{heavy, waive("**/zstd.c", "*", 4096)}, []string{
			"waiver-exceeded: decompress takes 18488 bytes of stack (static), its waiver allows 4096"}},
		{"the highest ceiling counts", []Waiver{heavy, waive("**/zstd.c", "", 4096), waive("", "decompress", 18488)}, nil},
		{"unused: fixed", []Waiver{heavy, waive("m/zstd/**", "", 20000), waive("", "at_limit", 3000)}, []string{
			"waiver-unused: the waiver for at_limit matches no frame above the limit"}},
		{"unused: gone", []Waiver{heavy, waive("m/zstd/**", "", 20000), waive("m/zfs/gone.c", "gone", 3000)}, []string{
			"waiver-unused: the waiver for m/zfs/gone.c: gone matches no frame above the limit"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			findings, err := Check(b, Limits{FrameBytes: 2048, Waivers: test.waivers})
			if diff := cmp.Diff(test.want, summarize(findings)); diff != "" || err != nil {
				t.Errorf("error %v, findings (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestCheckRecording(t *testing.T) {
	b := openzfs(t)
	limits := Limits{FrameBytes: 2048, PathBytes: 16384}
	findings, err := Check(b, limits)
	if err != nil || len(findings) != 21 || findings[0].LimitBytes != 2048 {
		t.Fatalf("%d findings, want 20 frames and a path; error %v", len(findings), err)
	}
	for _, f := range findings[:20] {
		if f.Kind != FrameAboveLimit || f.Frame.File != "module/zstd/lib/zstd.c" {
			t.Errorf("finding %+v, want zstd only", f)
		}
	}
	want := "path-above-limit: the calls from zfs_HUF_decompress1X2 to zfs_FSE_buildDTable take 20208 bytes of stack" +
		" (lower bound: 2 external functions, 1 cycle), the limit is 16384; so it is from 3 more"
	if got := summarize(findings[20:])[0]; got != want {
		t.Errorf("finding %s, want %s", got, want)
	}
	limits = Limits{FrameBytes: 2048, Waivers: []Waiver{waive("module/zstd/lib/zstd.c", "", 18488)}}
	if findings, err := Check(b, limits); err != nil || findings != nil {
		t.Errorf("with a waiver: %v, error %v", summarize(findings), err)
	}
}

func TestCheckRefuses(t *testing.T) {
	f := Target{Function: "f"}
	tests := []struct {
		name   string
		limits Limits
		want   string
	}{
		{"no limit", Limits{}, "a frame limit of 0 bytes"},
		{"negative path limit", Limits{FrameBytes: 1, PathBytes: -1}, "a path limit of -1 bytes"},
		{"path without graph", Limits{FrameBytes: 1, PathBytes: 1}, "the build has no call graph (.ci)"},
		{"no reason", Limits{FrameBytes: 1, Waivers: []Waiver{{Target: f, CeilingBytes: 2}}}, "waiver 1 (f): has no reason"},
		{"no ceiling", Limits{FrameBytes: 1, Waivers: []Waiver{{Target: Target{File: "x.c"}, Reason: "r"}}}, "waiver 1 (x.c): has no ceiling"},
		{"everything", Limits{FrameBytes: 1, Waivers: []Waiver{waive("", "", 2)}}, "names neither file nor function"},
		{"file pattern", Limits{FrameBytes: 1, Waivers: []Waiver{waive("[", "", 2)}}, "file is no valid pattern"},
		{"function pattern", Limits{FrameBytes: 1, Waivers: []Waiver{waive("", "{", 2)}}, "function is no valid pattern"},
		{"no date", Limits{FrameBytes: 1, Waivers: []Waiver{{Target: f, CeilingBytes: 2, Reason: "r", Expires: "soon"}}}, `expires on "soon"; want a date`},
		{"limit of nothing", Limits{FrameBytes: 1, Particular: []Limit{{Target: f}}}, "limit 1 (f): limits neither frame nor path"},
		{"entry of everything", Limits{FrameBytes: 1, Entries: []Entry{{}}}, "entry 1 (): names neither file nor function"},
		{"place", Limits{FrameBytes: 1, Entries: []Entry{{Target{Place: callgraph.Position{File: "k.toml", Line: 7}}}}}, "k.toml:7: stack limits: entry 1"},
		{"baseline", Limits{FrameBytes: 1, Baseline: &Baseline{FrameGrowthBytes: -1}}, "the baseline allows less than 0 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Check(Build{}, test.limits); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestFindingJSON(t *testing.T) {
	b := ofFrames(frame.Frame{Function: "f", File: "x.c", Line: 3, Bytes: 4096, Kind: frame.Static})
	findings, err := Check(b, Limits{FrameBytes: 2048})
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(findings)
	want := `[{"kind":"frame-above-limit","frame":{"function":"f","file":"x.c","line":3,"bytes":4096,"kind":"static"},"limit_bytes":2048,"place":{"file":"x.c","line":3},` +
		`"message":"f takes 4096 bytes of stack (static), the limit is 2048",` +
		`"remedy":"allocate its large local variables on the heap, or move them into a noinline function off the deep paths; or add a waiver with a reason and a ceiling"}]`
	if diff := cmp.Diff(want, string(got)); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}
