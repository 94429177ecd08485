package stackcheck

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

func TestCrossCheck(t *testing.T) {
	node := func(title, label string) string { return `node: { title: "` + title + `" label: "` + label + "\" }\n" }
	dir := write(t, map[string]string{
		"x.su": strings.Join([]string{
			"x.c:1:2:same\t8\tstatic",
			"x.c:2:2:f.constprop\t112\tstatic", "x.c:2:2:f.constprop\t96\tstatic", "x.c:2:2:f.constprop\t112\tstatic", // real: three clones
			"x.c:3:2:grown\t64\tstatic",
			"x.c:4:2:kind\t64\tdynamic",
			"x.c:5:2:row_only\t24\tstatic", ""}, "\n"),
		"x.ci": "graph: { title: \"x.c\"\n" +
			node("same", `same\n/other/prefix/x.c:1:2\n8 bytes (static)`) +
			node("x.c:f.constprop.0", `f.constprop\nx.c:2:2\n96 bytes (static)`) +
			node("x.c:f.constprop.1", `f.constprop\nx.c:2:2\n112 bytes (static)`) +
			node("x.c:f.constprop.2", `f.constprop\nx.c:2:2\n112 bytes (static)`) +
			node("grown", `grown\nx.c:3:2\n128 bytes (static)`) +
			node("kind", `kind\nx.c:4:2\n64 bytes (static)`) +
			node("node_only", `node_only\nx.c:6:2\n40 bytes (static)`) + "}\n",
		"no_graph.su": "no_graph.c:1:2:f\t8\tstatic\n",
	})
	b, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	of := func(source frame.Source, function string, line, bytes int, kind frame.Kind) frame.Frame {
		return frame.Frame{Function: function, File: "x.c", Line: line, Column: 2, Bytes: bytes, Kind: kind, Object: "x.o", Source: source}
	}
	want := CrossCheck{
		Agreed: 4,
		Disagreed: []Disagreement{
			{of("su", "grown", 3, 64, frame.Static), of("ci", "grown", 3, 128, frame.Static)},
			{of("su", "kind", 4, 64, frame.Dynamic), of("ci", "kind", 4, 64, frame.Static)},
		},
		OnlyInSU: []frame.Frame{of("su", "row_only", 5, 24, frame.Static)},
		OnlyInCI: []frame.Frame{of("ci", "node_only", 6, 40, frame.Static)},
	}
	if diff := cmp.Diff(want, b.CrossCheck, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("cross-check (-want +got):\n%s", diff)
	}
}
