package stackcheck

import (
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// recording is what gcc 12.2 wrote for OpenZFS 2.1.11 and kernel 6.1.
const recording = "../testdata/openzfs-2.1.11/su-ci.tar.zst"

var readRecording = sync.OnceValues(func() (Build, error) { return Read(recording) })

func openzfs(t testing.TB) Build {
	t.Helper()
	b, err := readRecording()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadRecording(t *testing.T) {
	b := openzfs(t)
	type summary struct {
		Root            string
		Objects, Frames int
		WithoutGraph    []string
		CrossChecked    int
	}
	want := summary{Root: "/usr/src/zfs-2.1.11", Objects: 266, Frames: 6498, CrossChecked: 6498}
	got := summary{b.Root, b.Objects, len(b.Functions), b.WithoutGraph, b.CrossChecked}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("build (-want +got):\n%s", diff)
	}
	if !slices.IsSortedFunc(b.Frames(), frame.Compare) {
		t.Error("frames are not sorted")
	}
	zstd := func(function string, line int) frame.Frame {
		return frame.Frame{Function: function, File: "module/zstd/lib/zstd.c", Line: line, Column: 8, Bytes: 18488,
			Kind: frame.Static, Object: "module/zstd/lib/zstd.o", Source: frame.SourceSU}
	}
	largest := []frame.Frame{zstd("zfs_HUF_decompress1X2", 22248), zstd("zfs_HUF_decompress4X2", 22295)}
	if diff := cmp.Diff(largest, b.Frames()[:2]); diff != "" {
		t.Errorf("largest frames (-want +got):\n%s", diff)
	}
	kinds := make(map[frame.Kind]int)
	outside := make(map[string]int)
	for _, f := range b.Frames() {
		kinds[f.Kind]++
		if filepath.IsAbs(f.File) {
			outside[f.File]++
		}
	}
	if diff := cmp.Diff(map[frame.Kind]int{frame.Static: 5820, frame.Bounded: 678}, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	const headers = "/usr/src/linux-headers-6.1.0-56-common/include/linux/"
	if diff := cmp.Diff(map[string]int{headers + "cpumask.h": 2, headers + "find.h": 1}, outside); diff != "" {
		t.Errorf("files outside the root (-want +got):\n%s", diff)
	}
}

func TestLookup(t *testing.T) {
	b := openzfs(t)
	want := []frame.Frame{{Function: "dmu_recv_stream", File: "module/zfs/dmu_recv.c", Line: 2898, Column: 1, Bytes: 232,
		Kind: frame.Bounded, Object: "module/zfs/dmu_recv.o", Source: frame.SourceSU}}
	if diff := cmp.Diff(want, b.Lookup("dmu_recv_stream")); diff != "" {
		t.Errorf("dmu_recv_stream (-want +got):\n%s", diff)
	}
	for function, want := range map[string]int{
		"zfs_ioc_recv_impl":           1, // only its clone .constprop is left
		"zfs_ioc_recv_impl.constprop": 1,
		"zfs_ioc_recv":                1,
		"no_such_function":            0,
	} {
		if got := b.Lookup(function); len(got) != want {
			t.Errorf("Lookup(%q) gives %v, want %d", function, got, want)
		}
	}
	if acl := b.Lookup("zfs_acl_alloc"); len(acl) != 1 || acl[0].File != "module/os/linux/zfs/zfs_acl.c" {
		t.Errorf("zfs_acl_alloc is %v, want it without \"zfs/..\"", acl)
	}
}

// The sums were also computed from the recording by an independent script: Kosaraju's components, recursive longest path.
func TestPathsOfRecording(t *testing.T) {
	g := openzfs(t).Graph
	if c := g.Cycles(); len(c) != 129 || len(c[0]) != 60 || len(c[1]) != 15 {
		t.Errorf("%d cycles, want 129, the largest of 60 and 15 functions", len(c))
	}
	one := func(function string) *callgraph.Node {
		t.Helper()
		found := g.Find(function)
		if len(found) != 1 {
			t.Fatalf("%d functions %s", len(found), function)
		}
		return found[0]
	}
	tests := []struct {
		name        string
		path        callgraph.Path
		bytes       int
		verdict     string
		first, last string
	}{
		{"worst", g.Worst(), 20208, "lower bound: 736 indirect calls, 327 external functions, 129 cycles", "zfs_HUF_decompress1X2", "zfs_FSE_buildDTable"},
		{"ioctl", g.WorstFrom(one("zfs_ioc_recv")), 11760, "lower bound: 238 indirect calls, 132 external functions, 62 cycles", "zfs_ioc_recv", "spl_kvmalloc"},
		{"ioctl, to its end", *g.WorstFrom(one("zfs_ioc_recv")).NoReturn, 11960, "lower bound: 238 indirect calls, 135 external functions, 62 cycles", "zfs_ioc_recv", "spl_dumpstack"},
		{"through", g.WorstThrough(one("dmu_recv_stream")), 11760, "lower bound: 224 indirect calls, 105 external functions, 62 cycles", "zfs_ioc_recv", "spl_kvmalloc"},
		{"through, to its end", *g.WorstThrough(one("dmu_recv_stream")).NoReturn, 11960, "lower bound: 224 indirect calls, 108 external functions, 62 cycles", "zfs_ioc_recv", "spl_dumpstack"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := test.path
			if p.Bytes != test.bytes || p.Verdict.String() != test.verdict {
				t.Errorf("%d bytes, %s; want %d, %s", p.Bytes, p.Verdict, test.bytes, test.verdict)
			}
			if first, last := p.Steps[0].Frame, p.Steps[len(p.Steps)-1].Frame; first.Function != test.first || last.Function != test.last {
				t.Errorf("from %s to %s, want from %s to %s", first.Function, last.Function, test.first, test.last)
			}
		})
	}
}

// Unpacked, the recording is the same build.
func TestReadDirectory(t *testing.T) {
	files := make(map[string]string)
	for file, err := range Files(recording) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(file.Path, "module/lua/") || strings.HasPrefix(file.Path, "module/os/") {
			files[file.Path] = file.Data
		}
	}
	b, err := Read(write(t, files))
	if err != nil {
		t.Fatal(err)
	}
	want := slices.DeleteFunc(slices.Clone(openzfs(t).Frames()), func(f frame.Frame) bool { return files[strings.TrimSuffix(f.Object, "o")+"su"] == "" })
	if diff := cmp.Diff(want, b.Frames()); diff != "" || b.Root != "/usr/src/zfs-2.1.11" {
		t.Errorf("root %s, frames (-want +got):\n%s", b.Root, diff)
	}
}

func TestReadKeepsWhatItCan(t *testing.T) {
	dir := write(t, map[string]string{
		"a/x.su": "/src/a/x.c:1:2:f\t8\tstatic\nbroken\n/src/a/x.c:3:4:g\t16\tstatic\n",
		"a/x.ci": "graph: { title: \"/src/a/x.c\"\nnonsense\n",
		"y.su":   "/src/y.c:1:2:h\t24\tstatic", // cut off
		"z.su":   "/src/z.c:1:2:k\t32\tstatic\n",
	})
	b, err := Read(dir)
	want := []string{
		`reading stack usage: a/x.ci:2:1: want "node: {", "edge: {" or "}"; rebuild the object`,
		`reading stack usage: a/x.ci:3:1: the file ends before the graph's closing "}"; rebuild the object`,
		`reading stack usage: a/x.su:2:1: want "file:line:col:function<TAB>bytes<TAB>kind", got 1 field; rebuild the object`,
		`reading stack usage: y.su:1:25: the file ends in the middle of the line; rebuild the object`,
	}
	got := strings.Split(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""), "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	var bad *frame.SyntaxError
	if !errors.As(err, &bad) || bad.Line != 2 {
		t.Errorf("the error has no *frame.SyntaxError, but %v", bad)
	}
	var frames []string
	for _, f := range b.Frames() {
		frames = append(frames, f.Object+" "+f.File+" "+f.Function)
	}
	if diff := cmp.Diff([]string{"z.o z.c k", "a/x.o a/x.c g", "a/x.o a/x.c f"}, frames); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"y.o", "z.o"}, b.WithoutGraph); diff != "" || b.Root != "/src" || b.Graph == nil {
		t.Errorf("root %q, graph %v, objects without graph (-want +got):\n%s", b.Root, b.Graph, diff)
	}
}

func TestReadWithoutGraph(t *testing.T) {
	b, err := Read(write(t, map[string]string{"x.su": "x.c:13:f\t120\tstatic\nx.c:__clang_call_terminate\t8\tstatic\n"}))
	if err != nil || b.Graph != nil || len(b.Functions) != 2 || !slices.Equal(b.WithoutGraph, []string{"x.o"}) {
		t.Errorf("error %v, build %+v", err, b)
	}
	if f := b.Frames()[0]; f.Bytes != 128 || f.AddedBytes != 8 {
		t.Errorf("clang's frame is %+v, want it with the return address", f)
	}
}

// Objects tell by which machine's calls the return address is pushed, also those of 32 bits, of which nothing else is read.
func TestClangOfOtherMachines(t *testing.T) {
	header := func(class elf.Class, data elf.Data, machine string) string {
		return elf.ELFMAG + string([]byte{byte(class), byte(data)}) + strings.Repeat("\x00", 12) + machine + strings.Repeat("\x00", 64)
	}
	for object, want := range map[string]int{
		header(elf.ELFCLASS32, elf.ELFDATA2LSB, "\x03\x00"): 4, // i386
		header(elf.ELFCLASS32, elf.ELFDATA2LSB, "\x28\x00"): 0, // arm
		header(elf.ELFCLASS32, elf.ELFDATA2MSB, "\x00\x08"): 0, // mips
		"": 8,
	} {
		b, err := Read(write(t, map[string]string{"x.su": "x.c:13:f\t120\tstatic\n", "x.o": object}))
		if err != nil || len(b.Functions) != 1 || b.Frames()[0].AddedBytes != want {
			t.Errorf("beside %q: error %v, frames %+v; want %d bytes added", object, err, b.Frames(), want)
		}
	}
}

func TestReadSaysHowToBuild(t *testing.T) {
	for _, files := range []map[string]string{{}, {"x.o": "", "x.c": ""}} {
		_, err := Read(write(t, files))
		if !errors.Is(err, ErrNoData) || !strings.Contains(err.Error(), "make KCFLAGS='-fstack-usage -fcallgraph-info=su,da'") {
			t.Errorf("%v give %v, want ErrNoData", files, err)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing directory gives %v", err)
	}
}

// A .ci file alone has both: frames and calls.
func TestReadOfGraphAlone(t *testing.T) {
	b, err := Read(write(t, map[string]string{"x.ci": "graph: { title: \"x.c\"\nnode: { title: \"x.c:f.constprop.0\" label: \"f.constprop\\nx.c:1:5\\n16 bytes (static)\\n0 dynamic objects\" }\n}\n"}))
	want := []frame.Frame{{Function: "f.constprop", Symbol: "f.constprop.0", File: "x.c", Line: 1, Column: 5, Bytes: 16,
		Kind: frame.Static, Object: "x.o", Source: frame.SourceCI}}
	if diff := cmp.Diff(want, b.Frames()); diff != "" || err != nil || b.Graph == nil || b.Graph.Worst().Bytes != 16 {
		t.Errorf("error %v, graph %v, frames (-want +got):\n%s", err, b.Graph, diff)
	}
}

// Several builds are one program: their calls meet, and each has a root of its own.
func TestReadSeveral(t *testing.T) {
	a := write(t, map[string]string{
		"a.su": "/one/a.c:1:5:f\t16\tstatic\n",
		"a.ci": "graph: { title: \"/one/a.c\"\nnode: { title: \"f\" label: \"f\\n/one/a.c:1:5\\n16 bytes (static)\\n0 dynamic objects\" }\nedge: { sourcename: \"f\" targetname: \"g\" label: \"/one/a.c:2:3\" }\n}\n",
	})
	b := write(t, map[string]string{
		"b.su": "/two/b.c:1:5:g\t32\tstatic\n",
		"b.ci": "graph: { title: \"/two/b.c\"\nnode: { title: \"g\" label: \"g\\n/two/b.c:1:5\\n32 bytes (static)\\n0 dynamic objects\" }\n}\n",
	})
	build, err := Read(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if worst := build.Graph.Worst(); worst.Bytes != 48 || !worst.Verdict.Exact() {
		t.Errorf("deepest path: %+v", worst)
	}
	if build.Root != "" || build.Objects != 2 || build.CrossChecked != 2 || build.Frames()[0].File != "b.c" || build.Frames()[1].File != "a.c" {
		t.Errorf("build: %+v", build)
	}
	// One that cannot be read does not lose the other.
	build, err = Read(a, filepath.Join(t.TempDir(), "missing"))
	if !errors.Is(err, os.ErrNotExist) || len(build.Functions) != 1 {
		t.Errorf("error %v, build %+v", err, build)
	}
}

// A tree that the gcc of this machine compiles, from another directory.
func TestReadBuildOfGCC(t *testing.T) {
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("NOT TESTED against a real compiler: no gcc here")
	}
	dir := write(t, map[string]string{
		"src/a/x.c": "extern int g(int);\nstatic int __attribute__((noinline)) same(int n) { return g(n) + 1; }\nint f(int n) { return same(n) + 2; }\n",
		"src/b/y.c": "static int __attribute__((noinline)) same(char *p) { volatile char b[500]; b[p[0]] = 1; return b[p[1]]; }\nint g(int n) { return same((char *)&n) + 2; }\n",
	})
	for _, object := range []string{"a/x", "b/y"} {
		if err := os.MkdirAll(filepath.Join(dir, "out", filepath.Dir(object)), 0o777); err != nil {
			t.Fatal(err)
		}
		compile := exec.Command(gcc, "-O1", "-fno-optimize-sibling-calls", "-fstack-usage", "-fcallgraph-info=su,da", "-c",
			filepath.Join(dir, "src", object+".c"), "-o", "out/"+object+".o")
		compile.Dir = dir
		if out, err := compile.CombinedOutput(); err != nil {
			t.Skipf("NOT TESTED against a real compiler: this gcc has no -fcallgraph-info: %v: %s", err, out)
		}
	}
	b, err := Read(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	if b.Root != filepath.Join(dir, "src") || len(b.Functions) != 4 || b.CrossChecked != 4 || b.Frames()[0].File != "b/y.c" {
		t.Errorf("build %+v", b)
	}
	var path []string
	for _, s := range b.Graph.Worst().Steps {
		path = append(path, s.Frame.Object+" "+s.Frame.Function)
	}
	if diff := cmp.Diff([]string{"a/x.o f", "a/x.o same", "b/y.o g", "b/y.o same"}, path); diff != "" {
		t.Errorf("worst path (-want +got):\n%s", diff)
	}
}

func BenchmarkRead(b *testing.B) {
	var size int64
	for file, err := range Files(recording) {
		if err != nil {
			b.Fatal(err)
		}
		size += int64(len(file.Data))
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(recording); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLinkAndWorst(b *testing.B) {
	var units []*callgraph.Unit
	sites := 0
	for file, err := range Files(recording) {
		if err != nil {
			b.Fatal(err)
		}
		if !strings.HasSuffix(file.Path, ".ci") {
			continue
		}
		unit, err := callgraph.ReadUnit(strings.NewReader(file.Data), file.Path)
		if err != nil {
			b.Fatal(err)
		}
		unit.Object = file.Path
		units = append(units, unit)
		sites += len(unit.CallSites)
	}
	b.ReportAllocs()
	for b.Loop() {
		if callgraph.Link(units).Worst().Bytes == 0 {
			b.Fatal("no path")
		}
	}
	b.ReportMetric(float64(sites)*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}
