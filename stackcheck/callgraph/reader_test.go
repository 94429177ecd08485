package callgraph

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

func readGolden(t testing.TB, name string) *Unit {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".ci"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	u, err := ReadUnit(f, name+".ci")
	if err != nil {
		t.Fatal(err)
	}
	u.Object = name + ".o"
	return u
}

func TestReaderRecords(t *testing.T) {
	tests := []struct {
		name, line string
		want       Record
	}{
		{"local", `node: { title: "../kinds.c:odd" label: "odd\n../kinds.c:14:38\n64 bytes (static)\n0 dynamic objects" }`,
			&Function{Title: "../kinds.c:odd", Name: "odd", Position: Position{"../kinds.c", 14, 38}, Defined: true, Sized: true, Bytes: 64, Kind: frame.Static}},
		{"dynamic objects", `node: { title: "vla" label: "vla\nk.c:6:6\n16 bytes (dynamic)\n1 dynamic objects\n b k.c:6:24" }`,
			&Function{Title: "vla", Name: "vla", Position: Position{"k.c", 6, 6}, Defined: true, Sized: true, Bytes: 16, Kind: frame.Dynamic}},
		{"bounded", `node: { title: "p" label: "p\nk.c:6:6\n352 bytes (dynamic,bounded)\n0 dynamic objects" }`,
			&Function{Title: "p", Name: "p", Position: Position{"k.c", 6, 6}, Defined: true, Sized: true, Bytes: 352, Kind: frame.Bounded}},
		{"=da only", `node: { title: "f" label: "f\nk.c:6:6\n0 dynamic objects" }`,
			&Function{Title: "f", Name: "f", Position: Position{"k.c", 6, 6}, Defined: true}},
		{"=su only, or LTO", `node: { title: "f" label: "f\nk.c:6:6\n8 bytes (static)" }`,
			&Function{Title: "f", Name: "f", Position: Position{"k.c", 6, 6}, Defined: true, Sized: true, Bytes: 8, Kind: frame.Static}},
		{"neither", `node: { title: "f" label: "f\nk.c:6:6" }`,
			&Function{Title: "f", Name: "f", Position: Position{"k.c", 6, 6}, Defined: true}},
		{"external", `node: { title: "sink" label: "sink\n../kinds.c:3:13" shape : ellipse }`,
			&Function{Title: "sink", Name: "sink", Position: Position{"../kinds.c", 3, 13}}},
		{"alias", `node: { title: "other_name" label: "other_name\n../kinds.c:15:38" shape : triangle }`,
			&Alias{Title: "other_name", Name: "other_name", Position: Position{"../kinds.c", 15, 38}}},
		{"built in", `node: { title: "memcpy" label: "__builtin_memcpy\n<built-in>" shape : ellipse }`,
			&Function{Title: "memcpy", Name: "__builtin_memcpy"}},
		{"pointer", `node: { title: "__indirect_call" label: "Indirect Call Placeholder" shape : ellipse }`,
			&Function{Title: "__indirect_call", Name: "Indirect Call Placeholder"}},
		{"quotes in label", `node: { title: "quote.c:st" label: "st\nquo"te.c:2:39\n80 bytes (static)\n0 dynamic objects" }`,
			&Function{Title: "quote.c:st", Name: "st", Position: Position{`quo"te.c`, 2, 39}, Defined: true, Sized: true, Bytes: 80, Kind: frame.Static}},
		{"backslash n in file", `node: { title: "back\name.c:st" label: "st\nback\name.c:2:39\n80 bytes (static)\n0 dynamic objects" }`,
			&Function{Title: `back\name.c:st`, Name: "st", Position: Position{`back\name.c`, 2, 39}, Defined: true, Sized: true, Bytes: 80, Kind: frame.Static}},
		{"edge", `edge: { sourcename: "../kinds.c:odd" targetname: "sink" label: "../kinds.c:14:63" }`,
			&CallSite{Caller: "../kinds.c:odd", Callee: "sink", Position: Position{"../kinds.c", 14, 63}}},
		{"edge without label", `edge: { sourcename: "flt" targetname: "__udivti3" }`, &CallSite{Caller: "flt", Callee: "__udivti3"}},
		{"quote in edge", `edge: { sourcename: "quote.c:st" targetname: "sink" label: "quo"te.c:2:62" }`,
			&CallSite{Caller: "quote.c:st", Callee: "sink", Position: Position{`quo"te.c`, 2, 62}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := NewReader(strings.NewReader("graph: { title: \"x.c\"\n"+test.line+"\n}\n"), "x.ci")
			if !r.Scan() {
				t.Fatalf("nothing read: %v %v", r.SyntaxErrors(), r.Err())
			}
			if diff := cmp.Diff(test.want, r.Record()); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
			if r.Scan() || r.SyntaxErrors() != nil || r.Err() != nil || r.Source() != "x.c" {
				t.Errorf("after it: %v %v, source %q", r.SyntaxErrors(), r.Err(), r.Source())
			}
		})
	}
}

func TestReaderReportsBadLinesAndReadsTheRest(t *testing.T) {
	const (
		head = "graph: { title: \"x.c\"\n"
		good = "edge: { sourcename: \"a\" targetname: \"b\" }\n"
	)
	tests := []struct {
		name, text string
		records    int
		want       []string
	}{
		{"empty unit", head + "}\n", 0, nil},
		{"empty file", "", 0, []string{`x.ci:1:1: the file ends before the graph's closing "}"`}},
		{"cut between lines", head + good, 1, []string{`x.ci:3:1: the file ends before the graph's closing "}"`}},
		{"cut in a line", head + good + `edge: { so`, 1, []string{
			`x.ci:3:11: the file ends in the middle of the line`, `x.ci:4:1: the file ends before the graph's closing "}"`}},
		{"no graph", good + head + good + "}\n", 1, []string{`x.ci:1:1: want one graph from "graph: {" to "}", got a line outside of it`}},
		{"two graphs", head + "}\n" + head, 0, []string{`x.ci:3:1: want one graph from "graph: {" to "}", got a line outside of it`}},
		{"word", head + "nodes\n" + good + "}\n", 1, []string{`x.ci:2:1: want "node: {", "edge: {" or "}"`}},
		{"title", head + "node: { title: \"a\" }\n" + good + "}\n", 1, []string{`x.ci:2:17: want a title and a label`}},
		{"label", head + "node: { title: \"a\" label: \"a\" }\n" + good + "}\n", 1, []string{
			`x.ci:2:28: want label "function\nfile:line:col" or with "\nN bytes (kind)"`}},
		{"label's end", head + "node: { title: \"a\" label: \"ab\n" + good + "}\n", 1, []string{`x.ci:2:30: the label does not end`}},
		{"edge's target", head + "edge: { sourcename: \"a\" }\n" + good + "}\n", 1, []string{`x.ci:2:22: want a sourcename and a targetname`}},
		{"edge's end", head + "edge: { sourcename: \"a\" targetname: \"b\"\n" + good + "}\n", 1, []string{`x.ci:2:40: want a label or the end of the edge`}},
		{"edge's label", head + "edge: { sourcename: \"a\" targetname: \"b\" label: \"c\" }\n" + good + "}\n", 1, []string{
			`x.ci:2:49: want label "file:line:col"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := NewReader(strings.NewReader(test.text), "x.ci")
			records := 0
			for r.Scan() {
				records++
			}
			var got []string
			for _, bad := range r.SyntaxErrors() {
				got = append(got, strings.TrimSuffix(bad.Error(), "; rebuild the object"))
			}
			if diff := cmp.Diff(test.want, got); diff != "" || records != test.records || r.Err() != nil {
				t.Errorf("%d records, want %d; error %v; problems (-want +got):\n%s", records, test.records, r.Err(), diff)
			}
		})
	}
}

func TestReadUnitKeepsWhatItRead(t *testing.T) {
	cut := iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("g")))
	if u, err := ReadUnit(cut, "x.ci"); u == nil || !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("unit %v, error %v, want %v", u, err, iotest.ErrTimeout)
	}
	other := strings.Repeat("\x7fELF\n", 2*frame.MaxSyntaxErrors)
	if _, err := ReadUnit(strings.NewReader(other), "x.o"); !errors.Is(err, frame.ErrTooManySyntaxErrors) {
		t.Errorf("error %v, want %v", err, frame.ErrTooManySyntaxErrors)
	}
}

// What gcc 12.2 writes for frame/testdata/hostile.c under hostile names.
func TestReadUnitOnHostileNames(t *testing.T) {
	for name, source := range map[string]string{
		"colons": "a:b/f:1:2:x.c", "quote": `quo"te.c`, "tab": "ta\tb.c", "backslash": `back\name.c`, "space": "sp ace é.c",
	} {
		t.Run(name, func(t *testing.T) {
			title := strings.ReplaceAll(source, `"`, "")
			want := &Unit{Object: name + ".o", Source: source,
				Functions: []*Function{
					{Title: title + ":st", Name: "st", Position: Position{source, 2, 39}, Defined: true, Sized: true, Bytes: 80, Kind: frame.Static},
					{Title: "sink", Name: "sink", Position: Position{source, 1, 13}},
					{Title: "pub", Name: "pub", Position: Position{source, 3, 6}, Defined: true, Sized: true, Bytes: 16, Kind: frame.Static},
				},
				CallSites: []*CallSite{
					{Caller: title + ":st", Callee: "sink", Position: Position{source, 2, 62}},
					{Caller: "pub", Callee: title + ":st", Position: Position{source, 3, 18}},
					{Caller: "pub", Callee: "sink", Position: Position{source, 3, 24}},
				},
			}
			u := readGolden(t, name)
			if diff := cmp.Diff(want, u); diff != "" {
				t.Errorf("unit (-want +got):\n%s", diff)
			}
			if worst := Link([]*Unit{u}).Worst(); worst.Bytes != 96 {
				t.Errorf("the worst path takes %d bytes, want 96", worst.Bytes)
			}
		})
	}
}

func FuzzReadUnit(f *testing.F) {
	golden, err := filepath.Glob("testdata/*.ci")
	if err == nil {
		var recent []string
		recent, err = filepath.Glob("testdata/gcc17/*.ci")
		golden = append(golden, recent...)
	}
	if err != nil || len(golden) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range golden {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), string(text))
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		var units []*Unit
		for i, text := range []string{first, second} {
			u, _ := ReadUnit(strings.NewReader(text), "x.ci")
			if got := len(u.Functions) + len(u.CallSites); got > strings.Count(text, "\n") {
				t.Errorf("%d records of %d lines", got, strings.Count(text, "\n"))
			}
			u.Object = string(rune('a' + i))
			units = append(units, u)
		}
		g := Link(units)
		sites := 0
		for _, n := range g.Nodes {
			sites += len(n.Indirect)
			for _, call := range n.Calls {
				sites += call.Sites
			}
		}
		if want := len(units[0].CallSites) + len(units[1].CallSites); sites != want {
			t.Errorf("%d call sites in the graph, want %d", sites, want)
		}
		worst := g.Worst()
		for _, n := range g.Nodes[:min(len(g.Nodes), 20)] {
			if from, through := g.WorstFrom(n).Bytes, g.WorstThrough(n).Bytes; from > through || through > worst.Bytes {
				t.Errorf("%s: %d bytes from, %d through, %d at worst", n.Symbol, from, through, worst.Bytes)
			}
		}
	})
}
