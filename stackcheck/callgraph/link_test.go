package callgraph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// describe prints a node as object:symbol, an external one as ?symbol.
func describe(n *Node) string {
	if !n.Defined {
		return "?" + n.Symbol
	}
	return n.Object + ":" + n.Symbol
}

func calls(g *Graph) map[string][]string {
	all := make(map[string][]string)
	for _, n := range g.Nodes {
		for _, call := range n.Calls {
			text := fmt.Sprintf("%s x%d", describe(call.Callee), call.Sites)
			if call.Ambiguous {
				text += " ambiguous"
			}
			all[describe(n)] = append(all[describe(n)], text)
		}
		if len(n.Indirect) > 0 {
			all[describe(n)] = append(all[describe(n)], fmt.Sprintf("pointer x%d", len(n.Indirect)))
		}
	}
	return all
}

// What gcc 12.2 writes for testdata/kinds.c and caller.c: local functions of the same name, a weak definition in one unit
// that the other calls, a weak declaration, an asm name, an alias, a clone, a tail call, recursion in turn, a pointer.
func TestLink(t *testing.T) {
	units := []*Unit{readGolden(t, "kinds"), readGolden(t, "caller")}
	want := map[string][]string{
		"caller.o:even":               {"?sink2 x1"},
		"caller.o:root":               {"kinds.o:assembler_name x1", "caller.o:even x1", "kinds.o:fixed x1", "kinds.o:weak_hook x1"},
		"caller.o:weak_elsewhere":     {"?sink2 x1"},
		"kinds.o:assembler_name":      {"?sink x1"},
		"kinds.o:call_alias":          {"?other_name x1", "?sink x1"},
		"kinds.o:call_weak":           {"?sink x1", "kinds.o:weak_hook x1"},
		"kinds.o:call_weak_elsewhere": {"?sink x1", "caller.o:weak_elsewhere x1"},
		"kinds.o:cloned.constprop.0":  {"?sink x1"},
		"kinds.o:divide":              {"?__udivti3 x1"},
		"kinds.o:even":                {"kinds.o:odd x1", "?sink x1"},
		"kinds.o:fixed":               {"?sink x1"},
		"kinds.o:indirect":            {"pointer x1"},
		"kinds.o:odd":                 {"kinds.o:even x1", "?sink x1"},
		"kinds.o:parity":              {"kinds.o:even x1"},
		"kinds.o:pushed":              {"?many x1"},
		"kinds.o:tail":                {"kinds.o:even x1"},
		"kinds.o:use_one":             {"kinds.o:cloned.constprop.0 x1"},
		"kinds.o:use_two":             {"kinds.o:cloned.constprop.0 x1"},
		"kinds.o:vla":                 {"?sink x1"},
		"kinds.o:weak_hook":           {"?sink x1"},
	}
	for range 2 { // the order of the units does not matter
		g := Link(units)
		if diff := cmp.Diff(want, calls(g)); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		slices.Reverse(units)
	}
}

// gcc 17 writes what 12.2 does, and which function an alias is.
func TestLinkAlias(t *testing.T) {
	units := []*Unit{readGolden(t, "gcc17/kinds"), readGolden(t, "gcc17/caller")}
	older := []*Unit{readGolden(t, "kinds"), readGolden(t, "caller")}
	for i := range units {
		units[i].Object = older[i].Object
	}
	want := calls(Link(older))
	want["kinds.o:call_alias"] = []string{"kinds.o:fixed x1", "?sink x1"}
	want["kinds.o:pushed"] = append(want["kinds.o:pushed"], "?memcpy x1") // where 12.2 has instructions
	if diff := cmp.Diff(want, calls(Link(units))); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	for name, graph := range map[string]*Graph{"other_name": Link(units), "init_module": Link([]*Unit{readCode(t, small)})} {
		if found := graph.Find(name); len(found) != 1 || found[0].Symbol == name {
			t.Errorf("by the alias %s %d functions are found", name, len(found))
		}
	}
	user := &Unit{Object: "user.o", Source: "user.c",
		Functions: []*Function{{Title: "main", Name: "main", Defined: true, Sized: true, Bytes: 8}, {Title: "other_name", Name: "other_name"}},
		CallSites: []*CallSite{{Caller: "main", Callee: "other_name"}},
	}
	if diff := cmp.Diff([]string{"kinds.o:fixed x1"}, calls(Link(append(units, user)))["user.o:main"]); diff != "" {
		t.Errorf("calls of an alias in another unit (-want +got):\n%s", diff)
	}
}

// Aliases of aliases, local and weak ones, those of what is elsewhere, and what only a damaged file has: of themselves, without an edge, of a name
// that is defined.
func TestReadUnitAliases(t *testing.T) {
	const text = `graph: { title: "x.c"
node: { title: "f" label: "f\nx.c:1:1\n8 bytes (static)" }
node: { title: "a" label: "a\nx.c:2:1" shape : triangle }
edge: { sourcename: "a" targetname: "b" }
node: { title: "b" label: "b\nx.c:3:1" shape : triangle }
edge: { sourcename: "b" targetname: "f" label: "x.c:3:1" }
node: { title: "x.c:weak" label: "weak\nx.c:4:1" shape : triangle }
edge: { sourcename: "x.c:weak" targetname: "f" }
node: { title: "away" label: "away\nx.c:5:1" shape : triangle }
edge: { sourcename: "away" targetname: "elsewhere" }
node: { title: "self" label: "self\nx.c:6:1" shape : triangle }
edge: { sourcename: "self" targetname: "self" }
node: { title: "lost" label: "lost\nx.c:7:1" shape : triangle }
node: { title: "f" label: "f\nx.c:8:1" shape : triangle }
node: { title: "g" label: "g\nx.c:9:1\n8 bytes (static)" }
edge: { sourcename: "g" targetname: "a" }
edge: { sourcename: "g" targetname: "x.c:weak" }
edge: { sourcename: "g" targetname: "away" }
edge: { sourcename: "f" targetname: "g" }
}
`
	u, err := ReadUnit(strings.NewReader(text), "x.ci")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range u.Functions {
		got = append(got, fmt.Sprint(f.Title, " ", f.Defined, " ", f.Aliases))
	}
	for _, site := range u.CallSites {
		got = append(got, site.Caller+" calls "+site.Callee)
	}
	want := []string{
		"f true [a b x.c:weak]", "g true []", "away false []", "self false []", "lost false []",
		"g calls f", "g calls f", "g calls away", "f calls g",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	u.Object = "x.o"
	user := &Unit{Object: "user.o",
		Functions: []*Function{{Title: "main", Name: "main", Defined: true}},
		CallSites: []*CallSite{{Caller: "main", Callee: "weak"}},
	}
	if diff := cmp.Diff([]string{"x.o:f x1"}, calls(Link([]*Unit{u, user}))["user.o:main"]); diff != "" {
		t.Errorf("calls of a weak alias (-want +got):\n%s", diff)
	}
}

// C++: comdat definitions have a prefix, a call from another unit has none.
func TestLinkTakesComdatOfAnotherUnit(t *testing.T) {
	user := &Unit{Object: "user.o", Source: "user.cc",
		Functions: []*Function{
			{Title: "main", Name: "main", Defined: true, Sized: true, Bytes: 8},
			{Title: "_ZN1n6comdatEi", Name: "int n::comdat(int)"}},
		CallSites: []*CallSite{{Caller: "main", Callee: "_ZN1n6comdatEi"}},
	}
	one, two := readGolden(t, "names"), readGolden(t, "names")
	two.Object, two.Source = "other.o", "other.cc"
	for _, f := range two.Functions {
		f.Bytes *= 2
	}
	tests := []struct {
		name  string
		units []*Unit
		want  []string
	}{
		{"nobody defines it", []*Unit{user}, []string{"?_ZN1n6comdatEi x1"}},
		{"one", []*Unit{user, one}, []string{"names.o:_ZN1n6comdatEi x1"}},
		{"two, the larger is taken", []*Unit{user, one, two}, []string{"other.o:_ZN1n6comdatEi x1 ambiguous"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := Link(test.units)
			if diff := cmp.Diff(test.want, calls(g)["user.o:main"]); diff != "" {
				t.Errorf("calls of main (-want +got):\n%s", diff)
			}
			if ambiguous := g.WorstFrom(g.Find("main")[0]).Verdict.Ambiguous; ambiguous != len(test.units)/3 {
				t.Errorf("the verdict has %d ambiguous calls", ambiguous)
			}
		})
	}
	if n := Link([]*Unit{user}).Find("int n::comdat(int)"); len(n) != 1 {
		t.Errorf("the printable name of an external function finds %d nodes, want 1", len(n))
	}
}

func TestLinkKeepsStaticsApart(t *testing.T) {
	g := Link([]*Unit{readGolden(t, "kinds"), readGolden(t, "caller")})
	var got []string
	for _, n := range g.Find("even") {
		got = append(got, describe(n))
	}
	if diff := cmp.Diff([]string{"caller.o:even", "kinds.o:even"}, got); diff != "" {
		t.Errorf("Find (-want +got):\n%s", diff)
	}
	if n := g.Find("cloned"); len(n) != 1 || n[0].Function != "cloned.constprop" || n[0].Symbol != "cloned.constprop.0" {
		t.Errorf("Find by base name gives %v", n)
	}
}

// Link-time optimisation renames local functions and calls them from other partitions without their prefix (gcc 12.2).
func TestLinkAcrossPartitions(t *testing.T) {
	units := []*Unit{
		{Object: "prog.ltrans0.ltrans.o", Source: "prog.ltrans0.o",
			Functions: []*Function{{Title: "main", Name: "main", Defined: true}, {Title: "helper.lto_priv.0", Name: "helper"}},
			CallSites: []*CallSite{{Caller: "main", Callee: "helper.lto_priv.0"}}},
		{Object: "prog.ltrans1.ltrans.o", Source: "prog.ltrans1.o",
			Functions: []*Function{{Title: "prog.ltrans1.o:helper.lto_priv.0", Name: "helper", Defined: true}}},
	}
	want := map[string][]string{"prog.ltrans0.ltrans.o:main": {"prog.ltrans1.ltrans.o:helper.lto_priv.0 x1"}}
	g := Link(units)
	if diff := cmp.Diff(want, calls(g)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if unsized := g.Worst().Verdict.Unsized; unsized != 2 {
		t.Errorf("%d functions of unknown frame, want 2", unsized)
	}
}
