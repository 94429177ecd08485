package audit

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/zevent-test/suite"
)

// project writes files, by path, below a new directory.
func project(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, name)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(file, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, dir string) Config {
	t.Helper()
	c, err := ReadConfig(filepath.Join(dir, ConfigName), false)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func run(t *testing.T, dir string) Result {
	t.Helper()
	result, err := Run(t.Context(), read(t, dir), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// This repository's own configuration, on its recording. The figures are those of the
// recorded build: wc -l of all .su files, their largest row, and the row of dmu_recv_stream.
func TestBundledRecording(t *testing.T) {
	c := read(t, "..")
	c.Out = t.TempDir()
	result, err := Run(t.Context(), c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if result.Verdict != Clean {
		t.Errorf("verdict %s: %+v %+v %+v", result.Verdict, result.Headers.Section, result.Stack.Section, result.Events.Section)
	}
	if diff := cmp.Diff([]int{5, 13, 10, 1, 14}, result.Headers.ByDepth); diff != "" {
		t.Errorf("headers by depth (-want +got):\n%s", diff)
	}
	for _, header := range []string{"sys/fm/fs/zfs.h", "sys/fs/zfs.h"} {
		if !exists(filepath.Join(c.Out, HeadersName, header)) {
			t.Errorf("%s is not installed", header)
		}
	}
	s := result.Stack
	if s.Frames != 6498 || s.Heaviest[0].Bytes != 18488 || s.Above != 20 || s.Waived != 20 {
		t.Errorf("stack: %d frames, heaviest %d, %d above, %d waived; want 6498, 18488, 20, 20", s.Frames, s.Heaviest[0].Bytes, s.Above, s.Waived)
	}
	if w := s.Watched[0]; w.Function != "dmu_recv_stream" || w.Frames[0].Bytes != 232 || w.WorstPathBytes != 11760 || !w.LowerBound {
		t.Errorf("watched: %+v", w)
	}
	if result.Events.Decoded != 252 || result.Events.Count("pass") != 22 || result.Events.Count("skip") != 6 {
		t.Errorf("events: %d decoded, checks %+v", result.Events.Decoded, result.Events.Checks)
	}
	want := []Kind{Sample, Recorded, Emulated}
	if diff := cmp.Diff(want, []Kind{result.Headers.Origin.Kind, result.Stack.Origin.Kind, result.Events.Origin.Kind}); diff != "" {
		t.Errorf("origins (-want +got):\n%s", diff)
	}
}

const su = "/usr/src/m/module/m.c:3:5:shallow\t64\tstatic\n/usr/src/m/module/m.c:9:5:deep\t4096\tstatic\n"

func TestModuleOfItsOwn(t *testing.T) {
	dir := project(t, map[string]string{
		"zfs/include/sys/fm/fs/zfs.h": "/* deep */\n",
		"zfs/include/top.h":           "/* top */\n",
		"zfs/module/m.su":             su,
		ConfigName:                    "[stack]\nwatch = [\"shallow\", \"gone\"]\n",
	})
	result := run(t, dir)
	if result.Verdict != Findings || result.Headers.Verdict != Clean || result.Events.Verdict != Clean {
		t.Errorf("verdicts %s, %s, %s: %s %s", result.Headers.Verdict, result.Stack.Verdict, result.Events.Verdict, result.Headers.Error, result.Events.Error)
	}
	if result.Headers.Origin.Kind != Real || result.Stack.Origin.Kind != Real || result.Events.Origin.Kind != Emulated {
		t.Errorf("origins: %v %v %v", result.Headers.Origin, result.Stack.Origin, result.Events.Origin)
	}
	if len(result.Stack.Findings) != 1 || result.Stack.Findings[0].Where != "module/m.c:9:5" {
		t.Errorf("findings: %+v", result.Stack.Findings)
	}
	if len(result.Stack.Watched[0].Frames) != 1 || len(result.Stack.Watched[1].Frames) != 0 {
		t.Errorf("watched: %+v", result.Stack.Watched)
	}
	for _, header := range []string{"sys/fm/fs/zfs.h", "top.h"} {
		if !exists(filepath.Join(dir, "out", HeadersName, header)) {
			t.Errorf("%s is not installed", header)
		}
	}
}

// The rules of [headers] hold for an audit too, and what they do not speak of is found.
func TestHeaderFindings(t *testing.T) {
	dir := project(t, map[string]string{
		"zfs/include/top.h": "/* top */\n", "zfs/include/sys/a.h": "/* a */\n", "zfs/include/os/b.h": "/* b */\n",
		"zfs/module/m.su": "m.c:1:1:f\t8\tstatic\n", "m_config.h": "/* found out */\n",
		ConfigName: `
[headers]
include = ["sys/*.h", "os/**"]
exclude = [{match = "os/**", reason = "of another system"}]
map = [{from = "gone", to = "."}]
extra = [{source = "m_config.h", to = "m_config.h"}]
`,
	})
	h := run(t, dir).Headers
	if h.Verdict != Findings || h.Totals.Headers != 2 {
		t.Errorf("%s, %d headers: %s", h.Verdict, h.Totals.Headers, h.Error)
	}
	want := []string{"./zfs/include/top.h", `map "gone" to "."`}
	var got []string
	for _, f := range h.Findings {
		got = append(got, f.Where)
		if f.What == "" || f.Remedy == "" {
			t.Errorf("%s: %q, remedy %q", f.Where, f.What, f.Remedy)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	for name, want := range map[string]bool{"sys/a.h": true, "m_config.h": true, "os/b.h": false, "top.h": false} {
		if exists(filepath.Join(dir, "out", HeadersName, name)) != want {
			t.Errorf("%s is installed: %v, want %v", name, !want, want)
		}
	}
}

func TestSourceOfTheConfiguration(t *testing.T) {
	for name, source := range map[string]string{
		"one":  `source = "./avl/include"`,
		"list": `source = ["./avl/include"]`,
		"glob": `source = "./*/include"`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := project(t, map[string]string{
				"avl/include/sys/avl.h": "/* avl */\n",
				"avl/module/a.su":       "a.c:1:1:f\t8\tstatic\n",
				ConfigName:              "[headers]\n" + source + "\n[stack]\nbuild = \"avl\"\n",
			})
			if result := run(t, dir); result.Verdict != Clean || result.Headers.Headers != 1 {
				t.Errorf("%s: %d headers: %s %s", result.Verdict, result.Headers.Headers, result.Headers.Error, result.Stack.Error)
			}
			if !exists(filepath.Join(dir, "out", HeadersName, "sys/avl.h")) {
				t.Error("sys/avl.h is not installed")
			}
		})
	}
}

// What cannot be done is said, and leaves nothing half-made.
func TestEmptyModule(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"empty zfs":     {"zfs/": ""},
		"empty include": {"zfs/include/": ""},
	} {
		t.Run(name, func(t *testing.T) {
			// Bundled data must not stand in for a module that is there and broken.
			files[ConfigName] = "[bundled]\ndir = \"b\"\nbuild = \"b\"\nevents = \"e\"\nwhat = \"w\"\n"
			dir := project(t, files)
			result := run(t, dir)
			if result.Verdict != Failed || result.Headers.Verdict != Failed || result.Stack.Verdict != Failed {
				t.Errorf("verdicts %s, %s, %s; want all failed", result.Verdict, result.Headers.Verdict, result.Stack.Verdict)
			}
			if !strings.Contains(result.Headers.Error, "./zfs/include") {
				t.Errorf("headers: %s", result.Headers.Error)
			}
			if !strings.Contains(result.Stack.Error, "-fstack-usage") {
				t.Errorf("stack: %s", result.Stack.Error)
			}
			if exists(filepath.Join(dir, "out", HeadersName)) {
				t.Error("out/include was made")
			}
		})
	}
}

func TestNoModule(t *testing.T) {
	_, err := Run(t.Context(), read(t, t.TempDir()), Options{})
	if !errors.Is(err, ErrNoModule) || !strings.Contains(err.Error(), "./zfs/include") {
		t.Errorf("Run = %v, want %v", err, ErrNoModule)
	}
}

func TestDamagedStackUsage(t *testing.T) {
	dir := project(t, map[string]string{"zfs/include/a.h": "", "zfs/module/m.su": su + "cut off"})
	s := run(t, dir).Stack
	if s.Verdict != Failed || s.Frames != 2 || len(s.Findings) != 1 || !strings.Contains(s.Error, "m.su:3") {
		t.Errorf("%s, %d frames, findings %+v, error %s; want it failed with what was read", s.Verdict, s.Frames, s.Findings, s.Error)
	}
}

func TestDamagedRecording(t *testing.T) {
	recording, err := os.ReadFile("../testdata/openzfs-2.1.11/events.zevents")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(recording), "\n")
	for name, test := range map[string]struct {
		text, want string
	}{
		"no recording": {"hello\n", `"format"`},
		"cut event":    {lines[0] + lines[1] + lines[2][:len(lines[2])/2], "events.zevents:3"},
	} {
		dir := project(t, map[string]string{
			"zfs/include/a.h": "", "zfs/m.su": "", "events.zevents": test.text,
			ConfigName: "[events]\nrecording = \"events.zevents\"\n",
		})
		if e := run(t, dir).Events; e.Verdict != Failed || !strings.Contains(e.Error, test.want) {
			t.Errorf("%s: %s, %s; want %q", name, e.Verdict, e.Error, test.want)
		}
	}
}

// A device that is there but is no event queue, and none at all, are told apart from a module
// that answers wrongly.
func TestDeviceThatIsNone(t *testing.T) {
	for _, device := range []string{"/dev/null", filepath.Join(t.TempDir(), "zfs")} {
		e := AuditEvents(t.Context(), EventsInput{Device: device, Dir: t.TempDir()})
		if e.Verdict != Failed || len(e.Findings) > 0 || e.Origin.Kind != Real {
			t.Errorf("%s: %s, findings %+v, error %s", device, e.Verdict, e.Findings, e.Error)
		}
	}
}

func TestReportedEvents(t *testing.T) {
	check := suite.Check{Name: "clear", Asserts: "it clears", Source: "fm.c"}
	e := ReportedEvents(Real, suite.Report{Target: "/dev/zfs", Results: []suite.Result{
		{Check: check, Status: suite.Fail, Detail: "it did not"},
	}})
	want := []Finding{{Where: "clear", What: "it did not", Remedy: "expected: it clears (fm.c)"}}
	if diff := cmp.Diff(want, e.Findings); diff != "" || e.Verdict != Findings {
		t.Errorf("verdict %s, findings (-want +got):\n%s", e.Verdict, diff)
	}
}

func TestWaiverWithoutReason(t *testing.T) {
	s := AuditStack(StackInput{
		Path:   project(t, map[string]string{"m.su": su}),
		Limits: stackcheck.Limits{FrameBytes: 2048, Waivers: []stackcheck.Waiver{{Target: stackcheck.Target{Function: "deep"}, CeilingBytes: 4096}}},
	})
	if s.Verdict != Failed || !strings.Contains(s.Error, "reason") || s.Above != 1 || s.Waived != 0 {
		t.Errorf("%s: %s; %d above the limit, %d waived", s.Verdict, s.Error, s.Above, s.Waived)
	}
}

// A frame that has outgrown its waiver is not waived.
func TestWaiversAreCounted(t *testing.T) {
	dir := project(t, map[string]string{"m.su": su})
	for ceiling, want := range map[int]int{4096: 1, 4095: 0} {
		s := AuditStack(StackInput{Path: dir, Limits: stackcheck.Limits{FrameBytes: 2048, Waivers: []stackcheck.Waiver{
			{Target: stackcheck.Target{Function: "deep"}, CeilingBytes: ceiling, Reason: "tested"},
		}}})
		if s.Above != 1 || s.Waived != want || len(s.Findings) != 1-want {
			t.Errorf("ceiling %d: %d above the limit, %d waived, findings %+v", ceiling, s.Above, s.Waived, s.Findings)
		}
	}
}
