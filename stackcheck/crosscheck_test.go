package stackcheck

import (
	"path/filepath"
	"strings"
	"testing"
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
	if b.CrossChecked != 4 || len(b.Functions) != 9 {
		t.Errorf("%d functions agree of %d, want 4 of 9", b.CrossChecked, len(b.Functions))
	}
	want := "reading stack usage: " + filepath.Join(dir, "x.su") + ": not of the compilation that x.ci is of: functions of another size: 2, " +
		"only here: 1, only there: 1, such as grown (64 bytes, static, and 128 bytes, static); rebuild the object"
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
}

// Where gcc was not told to write sizes into its graph, there is nothing to differ in; nor is a damaged file told of twice.
func TestCrossCheckUnsized(t *testing.T) {
	const su, graph = "x.c:1:2:f\t8\tstatic\n", "graph: { title: \"x.c\"\nnode: { title: \"f\" label: \"f\\nx.c:1:2\" }\n"
	for ci, want := range map[string]string{graph + "}\n": "", graph: "x.ci:3:1: the file ends before"} {
		_, err := Read(write(t, map[string]string{"x.su": su, "x.ci": ci}))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "not of the compilation")) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
