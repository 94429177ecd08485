package stackcheck

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

func depths(b Build) map[string]string {
	all := make(map[string]string)
	for _, n := range b.Graph.Nodes {
		p := b.Graph.WorstFrom(n)
		all[n.Object+" "+n.Symbol] = p.Verdict.String() + " " + strings.Repeat("+", len(p.Steps)-1)
	}
	return all
}

// A build that calls a module has that module's depths, and neither its frames nor its entries.
func TestWithKernel(t *testing.T) {
	file := filepath.Join(t.TempDir(), "u.ci")
	if err := os.WriteFile(file, []byte(`graph: { title: "u.c"
node: { title: "user" label: "user\nu.c:3:6\n48 bytes (static)\n0 dynamic objects" }
edge: { sourcename: "user" targetname: "fixed" label: "u.c:5:2" }
}
`), 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	with, err := b.With(Beside{Kernel: []string{smallModule + "/gcc/small.ko"}, Options: callgraph.Options{External: map[string]int{"sink": 40}}})
	if err != nil {
		t.Fatal(err)
	}
	user := with.Graph.Find("user")[0]
	if p := with.Graph.WorstFrom(user); p.Bytes != 48+312+40 || p.Verdict.String() != "exact if right: 1 figure is given" {
		t.Errorf("%d bytes, %s", p.Bytes, p.Verdict)
	}
	if len(with.Functions) != 1 || len(with.Graph.Entries()) != 1 || len(with.Units) != 1 {
		t.Errorf("%d frames, %d entries, %d units; want 1 of each", len(with.Functions), len(with.Graph.Entries()), len(with.Units))
	}
	if again, err := b.With(Beside{}); err != nil || again.Graph != b.Graph {
		t.Errorf("with nothing beside it has another graph; error %v", err)
	}
}

// What the code of objects tells is in a snapshot too.
func TestSnapshotOfCode(t *testing.T) {
	for _, name := range []string{smallModule + "/gcc/small.ko", smallModule + "/gcc", "../testdata/small-module/clang"} {
		b, err := Read(name)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := WriteSnapshot(&text, b); err != nil {
			t.Fatal(err)
		}
		again, err := ReadSnapshot(&text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(depths(b), depths(again)); diff != "" || len(b.Graph.Nodes) < 10 {
			t.Errorf("%s: %d functions, depths (-want +got):\n%s", name, len(b.Graph.Nodes), diff)
		}
	}
}

// Calls are read for those who want them.
func TestReadFrames(t *testing.T) {
	b, err := ReadFrames(smallModule + "/gcc/small.ko")
	if err != nil || len(b.Functions) != 16 || b.Graph != nil {
		t.Errorf("%d frames, graph %v, error %v", len(b.Functions), b.Graph, err)
	}
}

// What an object tells corrects the sizes of the graph too, although calls in it are not read.
func TestReadFramesCorrectsTheGraph(t *testing.T) {
	b, err := ReadFrames(smallModule + "/gcc")
	if err != nil {
		t.Fatal(err)
	}
	frames := make(map[string]int)
	for _, f := range b.Frames() {
		frames[f.Function+" of "+f.Object] = f.Bytes
	}
	nodes := make(map[string]int)
	for _, n := range b.Graph.Nodes {
		if n.Sized {
			nodes[n.Function+" of "+n.Object] = n.Bytes
		}
	}
	if nodes["realigned of frames.o"] == 0 {
		t.Fatalf("the graph has %v", nodes)
	}
	for function, bytes := range nodes {
		if frames[function] != bytes {
			t.Errorf("%s has %d bytes in the graph, %d in the frames", function, bytes, frames[function])
		}
	}
}
