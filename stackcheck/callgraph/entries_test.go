package callgraph

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// linked links one unit of functions of 8 bytes, each called "a", "b", …, and of these calls.
func linked(functions string, calls ...string) *Graph {
	u := &Unit{Object: "x.o"}
	for _, f := range functions {
		u.Functions = append(u.Functions, &Function{Title: string(f), Name: string(f), Defined: true, Sized: true, Bytes: 8, Kind: frame.Static})
	}
	for _, c := range calls {
		u.CallSites = append(u.CallSites, &CallSite{Caller: c[:1], Callee: c[1:]})
	}
	return Link([]*Unit{u})
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
		{"cycle that is not", "abcd", []string{"ab", "ba", "bc"}, []string{"a", "d"}},
		{"external callee", "a", []string{"ax"}, []string{"a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, n := range linked(test.functions, test.calls...).Entries() {
				got = append(got, n.Function)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

// From one of the entries the deepest path of all begins.
func TestWorstBeginsAtAnEntry(t *testing.T) {
	g := linked("abcdef", "ab", "ba", "bc", "de")
	deepest := 0
	for _, n := range g.Entries() {
		deepest = max(deepest, g.WorstFrom(n).Bytes)
	}
	if want := g.Worst().Bytes; deepest != want {
		t.Errorf("the deepest path from an entry has %d bytes, that of all %d", deepest, want)
	}
}
