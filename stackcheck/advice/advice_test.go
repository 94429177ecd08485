package advice

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kmodaudit/kmodaudit/stackcheck"
	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/framemap"
	"github.com/kmodaudit/kmodaudit/stackcheck/object"
)

const (
	inlinedModule = "../../testdata/small-module/inlined"
	openZFS       = "../../testdata/openzfs-2.1.11/su-ci.tar.zst"
)

func read(t testing.TB, path string) stackcheck.Build {
	t.Helper()
	b, err := stackcheck.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func node(t testing.TB, b stackcheck.Build, function string) *callgraph.Node {
	t.Helper()
	nodes := b.Graph.Find(function)
	if len(nodes) != 1 {
		t.Fatalf("%d functions are called %s", len(nodes), function)
	}
	return nodes[0]
}

func advise(t testing.TB, path, function string) (stackcheck.Build, Advice) {
	t.Helper()
	b := read(t, path)
	n := node(t, b, function)
	maps, err := ReadMaps(b, []*callgraph.Node{n}, path)
	if err != nil {
		t.Fatal(err)
	}
	return b, Advise(b, maps, stackcheck.Beside{}, []*callgraph.Node{n})[0]
}

// The model is the graph: no depth differs.
func TestModelIsTheGraph(t *testing.T) {
	for _, path := range []string{openZFS, inlinedModule, "../../testdata/small-module/gcc"} {
		b := read(t, path)
		m := newModel(b.Graph, stackcheck.Beside{})
		for _, n := range b.Graph.Nodes {
			same := m.now.find(n)
			if same == nil {
				t.Fatalf("%s: the model has no %s of %s", path, n.Symbol, n.Object)
			}
			got := []int{m.now.DepthFrom(same), m.now.NoReturnDepthFrom(same)}
			if want := []int{b.Graph.DepthFrom(n), b.Graph.NoReturnDepthFrom(n)}; !slices.Equal(got, want) {
				t.Errorf("%s: depths from %s are %v, want %v", path, n.Symbol, got, want)
			}
		}
		if len(m.now.Entries()) != len(b.Graph.Entries()) {
			t.Errorf("%s: %d entries, want %d", path, len(m.now.Entries()), len(b.Graph.Entries()))
		}
	}
}

func TestExplain(t *testing.T) {
	b := read(t, inlinedModule)
	n := node(t, b, "parent")
	maps, err := ReadMaps(b, []*callgraph.Node{n}, inlinedModule)
	if err != nil {
		t.Fatal(err)
	}
	e := Explain(b, maps, n)
	if want := (Shares{Own: 64, Inlined: 272, Return: 8, Rest: 0}); e.Contents.Bytes != want {
		t.Errorf("the frame is made of %+v, want %+v", e.Contents.Bytes, want)
	}
	var variables []string
	for _, v := range e.Contents.Variables {
		variables = append(variables, fmt.Sprintf("%s %s of %q: %d, alone %d", v.Type, v.Name, v.From, v.Bytes, v.MarginalBytes))
	}
	want := []string{
		`char[208] line of "step_one": 208, alone 8`,
		`struct record r of "step_two": 200, alone 0`,
		`long int[8] totals of "": 64, alone 64`,
		`char[64] path of "step": 64, alone 64`,
	}
	if diff := cmp.Diff(want, variables); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	if e.Path.Bytes != 864 || e.Step != 0 || e.Frames[0].Bytes != 344 || len(e.Frames) != 2 {
		t.Errorf("path of %d bytes, step %d, frames %v", e.Path.Bytes, e.Step, e.Frames)
	}
}

// Without debug information, positions of calls tell.
func TestExplainWithoutDebugInformation(t *testing.T) {
	b := read(t, openZFS)
	e := Explain(b, Maps{}, node(t, b, "dmu_recv_stream"))
	want := []Elsewhere{
		{File: "module/zfs/dmu_recv.c", FirstLine: 2462, LastLine: 2582, Calls: 23, After: "receive_read_payload_and_next_header"},
		{File: "module/zfs/dmu_recv.c", FirstLine: 2863, LastLine: 2880, Calls: 11, After: "receive_writer_thread"},
	}
	if diff := cmp.Diff(want, e.Elsewhere[:2]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if e.Contents != nil || e.Path.Steps[e.Step].Frame.Function != "dmu_recv_stream" {
		t.Errorf("contents %v, step %d", e.Contents, e.Step)
	}
}

// Debug information may also be in a compressed module, beside what the compiler told.
func TestMapsOfAModule(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"parent.su", "parent.ci", "parent.o"} {
		content, err := os.ReadFile(filepath.Join(inlinedModule, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "parent.o" {
			var compressed bytes.Buffer
			w := gzip.NewWriter(&compressed)
			if _, err := w.Write(content); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			name, content = "module.ko.gz", compressed.Bytes()
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, advice := advise(t, dir, "parent")
	if !advice.Mapped || len(advice.Options) != 4 {
		t.Errorf("advice %+v", advice)
	}
}

// What is wrong with debug information is told, and the build is explained without.
func TestMapsOfDamagedObject(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(inlinedModule, "parent.o"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := object.Open(bytes.NewReader(content), int64(len(content)), "parent.o")
	if err != nil {
		t.Fatal(err)
	}
	content[f.Find(".debug_info")[0].Off+4] = 9 // version
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "parent.o"), content, 0o644); err != nil {
		t.Fatal(err)
	}
	b := read(t, inlinedModule)
	n := node(t, b, "parent")
	maps, err := ReadMaps(b, []*callgraph.Node{n}, dir)
	if err == nil || !strings.Contains(err.Error(), "it is DWARF 9; 2 to 5 are read") {
		t.Errorf("error %v", err)
	}
	if maps.Of(n) != nil {
		t.Error("there is a map")
	}
}

func TestAdvise(t *testing.T) {
	for _, test := range []struct {
		function string
		want     []Option
		once     Once
	}{
		{
			"parent", // the deepest path leaves by a function that was not inlined
			[]Option{
				{Kind: NoInline, Name: "step, step_two", Sites: 2, Once: true, SavedBytes: 272, FrameBytes: 72, CalleeBytes: 280, WasPathBytes: 864, PathBytes: 592, Shallower: 1, Verdict: Helps},
				{Kind: NoInline, Name: "step", Sites: 1, Once: true, SavedBytes: 72, FrameBytes: 272, CalleeBytes: 280, WasPathBytes: 864, PathBytes: 792, Shallower: 1, Verdict: Helps},
				{Kind: Heap, Name: "totals", Type: "long int[8]", SavedBytes: 56, FrameBytes: 288, WasPathBytes: 864, PathBytes: 808, Shallower: 1, Verdict: Helps},
				{Kind: Heap, Name: "path", Type: "char[64]", From: "step", SavedBytes: 56, FrameBytes: 288, WasPathBytes: 864, PathBytes: 808, Shallower: 1, Verdict: Helps},
			},
			Once{Functions: []string{"step", "step_one", "step_two"}, Bytes: 272, All: true},
		},
		{
			"through", // it leaves by the one that was
			[]Option{
				{Kind: Heap, Name: "page", Type: "char[320]", From: "only", SavedBytes: 312, FrameBytes: 104, WasPathBytes: 936, PathBytes: 624, Shallower: 1, Verdict: Helps},
				{Kind: Heap, Name: "found", Type: "long int[10]", SavedBytes: 72, FrameBytes: 344, WasPathBytes: 936, PathBytes: 864, Shallower: 1, Verdict: Helps},
				{Kind: NoInline, Name: "only", Sites: 1, Once: true, SavedBytes: 320, FrameBytes: 96, CalleeBytes: 336, WasPathBytes: 936, PathBytes: 952, Deeper: 1, Verdict: Hurts},
			},
			Once{Functions: []string{"only"}, Bytes: 320, All: true},
		},
		{
			"walk", // each turn of the recursion shrinks
			[]Option{
				{Kind: Heap, Name: "name", Type: "char[256]", From: "visit", SavedBytes: 248, FrameBytes: 32, WasPathBytes: 280, PathBytes: 32, Turn: &Turn{WasBytes: 280, Bytes: 32}, Shallower: 1, Verdict: Helps},
				{Kind: NoInline, Name: "visit", Sites: 1, Once: true, SavedBytes: 256, FrameBytes: 24, CalleeBytes: 280, WasPathBytes: 280, PathBytes: 304, Turn: &Turn{WasBytes: 280, Bytes: 24, HelpsFrom: 2}, Deeper: 1, Verdict: Recursed},
			},
			Once{Functions: []string{"visit"}, Bytes: 256, All: true},
		},
	} {
		t.Run(test.function, func(t *testing.T) {
			_, got := advise(t, inlinedModule, test.function)
			if diff := cmp.Diff(test.want, got.Options, cmpopts.IgnoreFields(Option{}, "Place")); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.once, got.Once); diff != "" {
				t.Errorf("called once (-want +got):\n%s", diff)
			}
		})
	}
}

// What is predicted is what gcc then does, or a little more.
func TestAdviceAgainstCompiler(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip(err)
	}
	source, err := os.ReadFile(filepath.Join(inlinedModule, "parent.c"))
	if err != nil {
		t.Fatal(err)
	}
	compile := func(dir, source string) stackcheck.Build {
		t.Helper()
		file := filepath.Join(dir, "parent.c")
		if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
		gcc := exec.CommandContext(t.Context(), "gcc", "-O2", "-g", "-fno-stack-protector", "-fcf-protection=none", "-mno-red-zone", "-mpreferred-stack-boundary=3",
			"-mno-sse", "-mno-mmx", "-mno-80387", "-fstack-usage", "-fcallgraph-info=su,da", "-c", file, "-o", filepath.Join(dir, "parent.o"))
		if out, err := gcc.CombinedOutput(); err != nil {
			t.Skipf("gcc for x86-64 as kernels are compiled: %v\n%s", err, out)
		}
		return read(t, dir)
	}
	for _, test := range []struct{ function, inlined string }{{"parent", "step"}, {"through", "only"}} {
		t.Run(test.inlined, func(t *testing.T) {
			dir, changed := t.TempDir(), t.TempDir()
			compile(dir, string(source))
			_, advice := advise(t, dir, test.function)
			at := slices.IndexFunc(advice.Options, func(o Option) bool { return o.Kind == NoInline && o.Name == test.inlined })
			if at < 0 {
				t.Fatalf("no option about %s in %+v", test.inlined, advice.Options)
			}
			o := advice.Options[at]
			after := compile(changed, strings.Replace(string(source), "static void "+test.inlined+"(", "static __attribute__((noinline)) void "+test.inlined+"(", 1))
			caller, callee := node(t, after, test.function), node(t, after, test.inlined)
			const tolerated = 24
			if caller.Bytes > o.FrameBytes+tolerated || callee.Bytes > o.CalleeBytes+tolerated {
				t.Errorf("frames of %d and %d bytes, predicted at most %d and %d", caller.Bytes, callee.Bytes, o.FrameBytes, o.CalleeBytes)
			}
			now := after.Graph.WorstThrough(caller).Bytes
			if worse := now > o.WasPathBytes; worse != (o.PathBytes > o.WasPathBytes) {
				t.Errorf("the deepest path takes %d bytes now, before %d; predicted %d", now, o.WasPathBytes, o.PathBytes)
			}
		})
	}
}

// A function that has code beside its inlined bodies is not estimated, and one that was inlined into several changes all of them.
func TestSeveralCallers(t *testing.T) {
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip(err)
	}
	const source = `
void sink(void *);
static inline __attribute__((always_inline)) void both(void) { char line[128]; sink(line); }
void first(void) { both(); sink(0); }
void second(void *p) { sink(p); both(); sink(p); }
__attribute__((noipa)) static void uses(void (*f)(void)) { f(); }
void third(void) { uses(both); }
`
	dir := t.TempDir()
	file := filepath.Join(dir, "x.c")
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	gcc := exec.CommandContext(t.Context(), "gcc", "-O2", "-g", "-fno-stack-protector", "-fstack-usage", "-fcallgraph-info=su", "-c", file, "-o", filepath.Join(dir, "x.o"))
	if out, err := gcc.CombinedOutput(); err != nil {
		t.Skipf("%v\n%s", err, out)
	}
	b, advice := advise(t, dir, "first")
	if len(advice.Options) == 0 {
		t.Fatal("no options")
	}
	at := slices.IndexFunc(advice.Options, func(o Option) bool { return o.Kind == NoInline })
	o := advice.Options[at]
	if o.Others != 1 || !o.CalleeKnown || o.Once || o.CalleeBytes != node(t, b, "both").Bytes || o.Shallower+o.Deeper != 2 {
		t.Errorf("option %+v", o)
	}
	if advice.Once.All || len(advice.Once.Functions) > 0 {
		t.Errorf("called once: %+v", advice.Once)
	}
}

func TestSharesAddUp(t *testing.T) {
	m := &framemap.Map{Scope: framemap.Scope{Variables: []framemap.Variable{{Spans: []framemap.Span{{From: -500, To: 0}}}}}}
	for _, bytes := range []int{0, 4, 8, 300, 500, 504, 600} {
		s := shares(m, frame.Frame{Bytes: bytes})
		if s.Own+s.Inlined+s.Return+s.Rest != bytes || s.Rest < 0 || s.Return < 0 {
			t.Errorf("%d bytes are %+v", bytes, s)
		}
	}
}

func BenchmarkAdvise(b *testing.B) {
	build := read(b, openZFS)
	n := node(b, build, "dmu_recv_stream")
	m := newModel(build.Graph, stackcheck.Beside{})
	for b.Loop() {
		m.with([]change{{node: n, bytes: 100}})
	}
}
