package callgraph

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestComponents(t *testing.T) {
	tests := []struct {
		name      string
		functions int
		calls     [][2]int
		want      [][]int // callees before callers
		cycles    int
	}{
		{"none", 0, nil, nil, 0},
		{"alone", 1, nil, [][]int{{0}}, 0},
		{"itself", 1, [][2]int{{0, 0}}, [][]int{{0}}, 1},
		{"chain", 3, [][2]int{{0, 1}, {1, 2}}, [][]int{{2}, {1}, {0}}, 0},
		{"diamond", 4, [][2]int{{0, 1}, {0, 2}, {1, 3}, {2, 3}}, [][]int{{3}, {1}, {2}, {0}}, 0},
		{"ring and tail", 4, [][2]int{{0, 1}, {1, 2}, {2, 0}, {1, 3}}, [][]int{{3}, {0, 1, 2}}, 1},
		{"two rings that share a function", 3, [][2]int{{0, 1}, {1, 0}, {1, 2}, {2, 1}}, [][]int{{0, 1, 2}}, 1},
		{"two rings", 4, [][2]int{{0, 1}, {1, 0}, {1, 2}, {2, 3}, {3, 2}}, [][]int{{2, 3}, {0, 1}}, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := build(slices.Repeat([]int{8}, test.functions), test.calls...)
			var got [][]int
			for _, members := range components(g.Nodes, func(*Call) bool { return true }) {
				var indexes []int
				for _, n := range members {
					indexes = append(indexes, n.index)
				}
				got = append(got, indexes)
			}
			if diff := cmp.Diff(test.want, got); diff != "" || len(g.Cycles()) != test.cycles {
				t.Errorf("%d cycles, want %d; components (-want +got):\n%s", len(g.Cycles()), test.cycles, diff)
			}
		})
	}
}
