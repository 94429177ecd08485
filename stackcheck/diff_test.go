package stackcheck

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// made returns a build of functions, one a line: "FILE:LINE FUNCTION BYTES [CALLEE...]". A function in lower case is
// local, one that begins with an upper case letter is seen by all; the callee * is a pointer.
func made(t *testing.T, text string) Build {
	t.Helper()
	var functions []Function
	unitOf := make(map[string]*callgraph.Unit)
	var units []*callgraph.Unit
	for line := range strings.Lines(strings.TrimSpace(text)) {
		fields := strings.Fields(line)
		f := frame.Frame{Function: fields[1], Kind: frame.Static, Source: frame.SourceSU}
		if _, err := fmt.Sscanf(strings.Replace(fields[0], ":", " ", 1)+" "+fields[2], "%s %d %d", &f.File, &f.Line, &f.Bytes); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		f.Object = strings.TrimSuffix(f.File, ".c") + ".o"
		if strings.HasSuffix(f.File, ".h") {
			f.Object = "h.o"
		}
		functions = append(functions, Function{[]frame.Frame{f}})
		u := unitOf[f.File]
		if u == nil {
			u = &callgraph.Unit{Object: f.Object, Source: f.File}
			unitOf[f.File] = u
			units = append(units, u)
		}
		title := func(name string) string {
			if name == "*" {
				return "__indirect_call"
			}
			if strings.ToUpper(name[:1]) == name[:1] {
				return name
			}
			return f.File + ":" + name
		}
		u.Functions = append(u.Functions, &callgraph.Function{Title: title(f.Function), Name: f.Function, Defined: true, Sized: true,
			Bytes: f.Bytes, Kind: f.Kind, Position: callgraph.Position{File: f.File, Line: f.Line}})
		for _, callee := range fields[3:] {
			u.CallSites = append(u.CallSites, &callgraph.CallSite{Caller: title(f.Function), Callee: title(callee)})
		}
	}
	var b Build
	b.Functions = functions
	b.link(units)
	return b
}

func summarizeDiff(d Diff) []string {
	var all []string
	for _, c := range d.Frames {
		text := fmt.Sprintf("%+d %s %s", c.DeltaBytes, c.Kind, c.Frame().Function)
		for _, f := range c.Into {
			text += " into " + f.Function
		}
		for _, f := range c.From {
			text += " from " + f.Function
		}
		all = append(all, text)
	}
	return all
}

func TestCompare(t *testing.T) {
	const before = `
a.c:10 Root 128 step_one step_two
a.c:20 step_one 336 Sink
a.c:30 step_two 416 Sink Other
`
	const inlined = `
a.c:15 Root 512 Sink Other
`
	tests := []struct {
		name, before, after string
		want                []string
	}{
		{"the same", before, before, nil},
		{"moved lines", before, strings.NewReplacer(":10", ":11", ":20", ":30", ":30", ":40").Replace(before), nil},
		{"moved file", before, strings.ReplaceAll(before, "a.c", "dir/b.c"), nil},
		{"renamed clone", before, strings.ReplaceAll(before, "step_one", "step_one.constprop"), nil},
		{"another clone number", "a.c:1 f.part.0 8\na.c:1 f.isra.0 16", "a.c:1 f.part.3 8\na.c:1 f.isra.7 16", nil},
		{"a part is no whole", "a.c:1 f 64\na.c:1 f.part.0 8", "a.c:1 f 72", []string{"+8 grown f", "-8 gone f.part.0"}},
		{"grown and shrunk", before, strings.NewReplacer("336", "400", "416", "400").Replace(before), []string{"+64 grown step_one", "-16 shrunk step_two"}},
		{"namesakes stay in their files", "a.c:1 f 8\nb.c:1 f 16", "b.c:9 f 24\na.c:9 f 8", []string{"+8 grown f"}},
		{"copies of a header, one less", "h.h:1 f 8\nh.h:1 f 16\nh.h:1 f 24", "h.h:1 f 24\nh.h:1 f 8", []string{"-16 gone f"}},
		{"headers of another kernel", "6.1/h.h:1 f 8\n6.1/h.h:2 f 16", "6.12/h.h:3 f 8\n6.12/h.h:4 f 16", nil},
		{"new and gone", "a.c:1 F 8 X\na.c:2 Old 100 X", "a.c:1 F 8 X\na.c:2 Fresh 200 X", []string{"+200 new Fresh", "-100 gone Old"}},
		{"inlined", before, inlined, []string{"-416 inlined step_two into Root", "+384 grown Root", "-336 inlined step_one into Root"}},
		{"split", inlined, before, []string{"+416 new step_two from Root", "-384 shrunk Root", "+336 new step_one from Root"}},
		{"inlined, without calls", "a.c:1 F 8 leaf\na.c:2 leaf 100", "a.c:1 F 96", []string{"-100 inlined leaf into F", "+88 grown F"}},
		{"removed, without calls", "a.c:1 F 8 leaf\na.c:2 leaf 100", "a.c:1 F 8", []string{"-100 gone leaf"}},
		{"inlined in two steps", "a.c:1 F 8 one\na.c:2 one 16 two\na.c:3 two 24 Sink", "a.c:1 F 32 Sink",
			[]string{"+24 grown F", "-24 inlined two into F", "-16 inlined one into F"}},
		{"inlined, with a pointer", "a.c:1 F 8 one\na.c:2 one 16 *", "a.c:1 F 16 *", []string{"-16 inlined one into F", "+8 grown F"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			old, fresh := made(t, test.before), made(t, test.after)
			d := Compare(old, fresh)
			if diff := cmp.Diff(test.want, summarizeDiff(d)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			sum := 0
			for _, c := range d.Frames {
				sum += c.DeltaBytes
			}
			if sum != d.New.Bytes-d.Old.Bytes || d.Old.Frames != len(old.Functions) || d.New.Frames != len(fresh.Functions) {
				t.Errorf("changes of %d bytes in all; totals %+v, %+v", sum, d.Old, d.New)
			}
		})
	}
}

func TestCompareKinds(t *testing.T) {
	b := func(kind frame.Kind, source frame.Source) Build {
		return Build{Functions: []Function{{[]frame.Frame{{Function: "f", Bytes: 8, Kind: kind, Source: source}}}}}
	}
	d := Compare(b(frame.Static, frame.SourceSU), b(frame.Dynamic, frame.SourceSU))
	if diff := cmp.Diff([]string{"+0 kind-changed f"}, summarizeDiff(d)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	// Another source tells kinds in another way.
	if d := Compare(b(frame.Bounded, frame.SourceSU), b(frame.Static, frame.SourceORC)); len(d.Frames) > 0 || d.Mixed != 1 {
		t.Errorf("changes %v, %d mixed", summarizeDiff(d), d.Mixed)
	}
}

// What both sources tell is compared by the same one.
func TestCompareSources(t *testing.T) {
	both, err := Read("../testdata/small-module/gcc")
	if err != nil {
		t.Fatal(err)
	}
	module, err := Read("../testdata/small-module/gcc/small.ko")
	if err != nil {
		t.Fatal(err)
	}
	if d := Compare(both, module); len(d.Frames) > 0 || d.Mixed > 0 || d.Same != 16 {
		t.Errorf("changes %v, %d mixed, %d the same; want 16 the same", summarizeDiff(d), d.Mixed, d.Same)
	}
}

func TestComparePaths(t *testing.T) {
	before := made(t, "a.c:1 Kept 8 one\na.c:2 Left 16 one\na.c:3 one 100 Sink\na.c:4 Far 8")
	after := made(t, "a.c:1 Kept 8 one\na.c:2 Came 32 one\na.c:3 one 164 Sink\na.c:4 Far 8")
	var got []string
	d := Compare(before, after)
	for _, c := range d.Paths {
		got = append(got, fmt.Sprintf("%+d %s %s %d %d", c.DeltaBytes, c.Kind, c.Function.Function, c.OldBytes, c.NewBytes))
	}
	want := []string{"+196 new Came 0 196", "-116 gone Left 116 0", "+64 grown Kept 108 172"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	if d.Old.Worst.Bytes != 116 || d.New.Worst.Bytes != 196 {
		t.Errorf("worst paths of %d and %d bytes", d.Old.Worst.Bytes, d.New.Worst.Bytes)
	}
}

// The recording is the same as itself: no clone and no copy of a header is taken for another.
func TestCompareRecording(t *testing.T) {
	b := openzfs(t)
	if d := Compare(b, b); len(d.Frames) > 0 || len(d.Paths) > 0 || d.Same != 6498 {
		t.Errorf("%d changes of frames, %d of paths, %d the same", len(d.Frames), len(d.Paths), d.Same)
	}
}

// What the real compiler does: with and without inlining, of the same source.
func TestCompareInlining(t *testing.T) {
	const source = `
extern void sink(char *);
static void one(int n) { char a[320]; a[0] = n; sink(a); }
static void two(int n) { char b[400]; b[0] = n; sink(b); sink(b + 1); }
void both(int n) { char c[64]; sink(c); one(n); two(n); }
`
	d := Compare(compile(t, source, "-O2", "-fno-inline"), compile(t, source, "-O2"))
	var got []string
	for _, c := range d.Frames {
		text := string(c.Kind) + " " + frame.BaseName(c.Frame().Function)
		for _, f := range c.Into {
			text += " into " + f.Function
		}
		got = append(got, text)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"grown both", "inlined one into both", "inlined two into both"}, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// compile returns what gcc tells of a source, and its object.
func compile(t *testing.T, source string, flags ...string) Build {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("there is no gcc here")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "m.c"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), gcc, append(flags, "-fstack-usage", "-fcallgraph-info=su,da", "-c", "m.c")...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("gcc cannot write call graphs here: %s", out)
	}
	b, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
