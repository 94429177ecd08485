package cli

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// graph links one unit of functions of 8 bytes, each called "a", "b", …, and of these calls.
func graph(functions string, calls ...string) *callgraph.Graph {
	u := &callgraph.Unit{Object: "x.o"}
	for _, f := range functions {
		u.Functions = append(u.Functions, &callgraph.Function{Title: string(f), Name: string(f), Defined: true, Sized: true, Bytes: 8, Kind: frame.Static})
	}
	for _, c := range calls {
		u.CallSites = append(u.CallSites, &callgraph.CallSite{Caller: c[:1], Callee: c[1:]})
	}
	return callgraph.Link([]*callgraph.Unit{u})
}

// A cycle that nothing calls is an entry too: without it, the deepest path of all could be missing.
func TestEntries(t *testing.T) {
	tests := []struct {
		name      string
		functions string
		calls     []string
		want      []string
	}{
		{"none", "", nil, nil},
		{"chain", "abc", []string{"ab", "bc"}, []string{"a"}},
		{"two roots", "abc", []string{"ac", "bc"}, []string{"a", "b"}},
		{"calls itself", "ab", []string{"aa", "ab"}, []string{"a"}},
		{"cycle that is called", "abc", []string{"ab", "bc", "cb"}, []string{"a"}},
		{"cycle that is not", "abcd", []string{"ab", "ba", "bc"}, []string{"d", "a"}},
		{"external callee", "a", []string{"ax"}, []string{"a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, n := range entries(graph(test.functions, test.calls...)) {
				got = append(got, n.Function)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDeepestOfAllIsFirst(t *testing.T) {
	g := graph("abcdef", "ab", "ba", "bc", "de")
	paths, err := deepest(g, StackFlags{Top: 2})
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != 2 || paths[0].Bytes != g.Worst().Bytes || paths[1].Bytes != 16 {
		t.Errorf("%+v, want the one of %d bytes and one of 16", paths, g.Worst().Bytes)
	}
}

func TestEditDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"dmu_recv_steam", "dmu_recv_stream", 1},
		{"kitten", "sitting", 3}, {"abc", "acb", 2}, {"ab", "abcdefgh", 6},
	} {
		if got := editDistance(test.a, test.b); got != test.want {
			t.Errorf("from %q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
