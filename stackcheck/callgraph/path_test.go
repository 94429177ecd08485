package callgraph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// build makes a graph of functions f0, f1, ... with the given frames, and calls given as caller, callee.
func build(bytes []int, calls ...[2]int) *Graph {
	nodes := make([]*Node, len(bytes))
	for i := range bytes {
		nodes[i] = &Node{Defined: true, Sized: true, Frame: frame.Frame{
			Function: fmt.Sprintf("f%d", i), Symbol: fmt.Sprintf("f%d", i), Bytes: bytes[i], Kind: frame.Static}}
	}
	for _, call := range calls {
		nodes[call[0]].Calls = append(nodes[call[0]].Calls, Call{Callee: nodes[call[1]], Sites: 1})
	}
	return newGraph(nodes)
}

func names(p Path) []string {
	var all []string
	for _, s := range p.Steps {
		all = append(all, fmt.Sprintf("%s+%d", s.Frame.Function, s.Bytes))
	}
	return all
}

func TestPaths(t *testing.T) {
	chain := build([]int{16, 32, 64, 8}, [2]int{0, 1}, [2]int{1, 2}, [2]int{3, 1})
	ring := build([]int{16, 100, 200, 300, 8}, [2]int{0, 2}, [2]int{1, 2}, [2]int{2, 3}, [2]int{3, 1}, [2]int{1, 4})
	self := build([]int{16, 32}, [2]int{0, 0}, [2]int{0, 1})
	tie := build([]int{8, 16, 16, 4, 4}, [2]int{0, 2}, [2]int{0, 1}, [2]int{1, 4}, [2]int{1, 3}, [2]int{2, 3})
	tests := []struct {
		name  string
		path  Path
		bytes int
		want  []string
	}{
		{"chain, worst", chain.Worst(), 112, []string{"f0+16", "f1+32", "f2+64"}},
		{"chain, from", chain.WorstFrom(chain.Nodes[3]), 104, []string{"f3+8", "f1+32", "f2+64"}},
		{"chain, through", chain.WorstThrough(chain.Nodes[3]), 104, []string{"f3+8", "f1+32", "f2+64"}},
		{"chain, through the end", chain.WorstThrough(chain.Nodes[2]), 112, []string{"f0+16", "f1+32", "f2+64"}},
		{"ring is charged once, as it is entered", ring.Worst(), 624, []string{"f0+16", "f2+600", "f4+8"}},
		{"ring, from a member", ring.WorstFrom(ring.Nodes[3]), 608, []string{"f3+600", "f4+8"}},
		{"ring, through a member", ring.WorstThrough(ring.Nodes[3]), 624, []string{"f0+16", "f3+600", "f4+8"}},
		{"self recursion", self.Worst(), 48, []string{"f0+16", "f1+32"}},
		{"ties by name", tie.Worst(), 28, []string{"f0+8", "f1+16", "f3+4"}},
		{"ties by name, above", tie.WorstThrough(tie.Nodes[3]), 28, []string{"f0+8", "f1+16", "f3+4"}},
		{"no functions", build(nil).Worst(), 0, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, names(test.path)); diff != "" || test.path.Bytes != test.bytes {
				t.Errorf("%d bytes, want %d; steps (-want +got):\n%s", test.path.Bytes, test.bytes, diff)
			}
		})
	}
	var cycle []string
	for _, f := range ring.Worst().Steps[1].Cycle {
		cycle = append(cycle, f.Function)
	}
	if diff := cmp.Diff([]string{"f1", "f2", "f3"}, cycle); diff != "" {
		t.Errorf("cycle (-want +got):\n%s", diff)
	}
}

func TestVerdict(t *testing.T) {
	g := Link([]*Unit{readGolden(t, "kinds"), readGolden(t, "caller")})
	tests := []struct {
		function string
		from     Verdict
		text     string
	}{
		{"leaf", Verdict{}, "exact"},
		{"indirect", Verdict{Indirect: 1}, "lower bound: 1 indirect call"},
		{"vla", Verdict{External: 1, Dynamic: 1}, "lower bound: 1 external function, 1 dynamic frame"},
		{"parity", Verdict{External: 1, Cycles: 1}, "lower bound: 1 external function, 1 cycle"},
		{"root", Verdict{External: 2}, "lower bound: 2 external functions"},
	}
	for _, test := range tests {
		t.Run(test.function, func(t *testing.T) {
			got := g.WorstFrom(g.Find(test.function)[0]).Verdict
			if diff := cmp.Diff(test.from, got); diff != "" || got.String() != test.text || got.Exact() != (test.text == "exact") {
				t.Errorf("%q, want %q (-want +got):\n%s", got, test.text, diff)
			}
		})
	}
	t.Run("whole graph", func(t *testing.T) {
		want := Verdict{Indirect: 1, External: 5, Dynamic: 1, Cycles: 1}
		if diff := cmp.Diff(want, g.Worst().Verdict); diff != "" {
			t.Errorf("verdict (-want +got):\n%s", diff)
		}
	})
	t.Run("through looks both ways", func(t *testing.T) {
		want := Verdict{External: 1, Cycles: 1} // the cycle is parity's, above; sink is below
		if diff := cmp.Diff(want, g.WorstThrough(g.Find("odd")[0]).Verdict); diff != "" {
			t.Errorf("verdict (-want +got):\n%s", diff)
		}
	})
}

func TestWorstPathsOfDeepChains(t *testing.T) {
	const depth = 200_000
	bytes := slices.Repeat([]int{16}, depth)
	var calls [][2]int
	for i := range depth - 1 {
		calls = append(calls, [2]int{i, i + 1})
	}
	if got := build(bytes, calls...).Worst().Bytes; got != 16*depth {
		t.Errorf("a chain takes %d bytes, want %d", got, 16*depth)
	}
	calls = append(calls, [2]int{depth - 1, 0})
	if got := build(bytes, calls...).Cycles(); len(got) != 1 || len(got[0]) != depth {
		t.Errorf("a ring has %d cycles, want 1", len(got))
	}
}

// TestAgainstBruteForce compares the paths of small random graphs with a search that shares nothing with the algorithms:
// members of a component are those that reach each other, and all ways between components are tried.
func TestAgainstBruteForce(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		n := 1 + random.IntN(8)
		bytes := make([]int, n)
		for i := range bytes {
			bytes[i] = 1 + random.IntN(20)
		}
		var calls [][2]int
		for caller := range n {
			for callee := range n {
				if random.IntN(5) == 0 {
					calls = append(calls, [2]int{caller, callee})
				}
			}
		}
		g, crude := build(bytes, calls...), newBruteForce(bytes, calls)
		worst := 0
		for i, node := range g.Nodes {
			from, to := crude.deepest(i, crude.calls), crude.deepest(i, crude.callers)
			worst = max(worst, from)
			through := from + to - crude.charge(i)
			if got := g.WorstFrom(node).Bytes; got != from {
				t.Fatalf("frames %v, calls %v: %d bytes from f%d, want %d", bytes, calls, got, i, from)
			}
			if got := g.WorstThrough(node).Bytes; got != through {
				t.Fatalf("frames %v, calls %v: %d bytes through f%d, want %d", bytes, calls, got, i, through)
			}
		}
		if got := g.Worst().Bytes; got != worst {
			t.Fatalf("frames %v, calls %v: %d bytes at worst, want %d", bytes, calls, got, worst)
		}
	}
}

type bruteForce struct {
	bytes          []int
	calls, callers [][]int
	reaches        [][]bool
}

func newBruteForce(bytes []int, calls [][2]int) *bruteForce {
	n := len(bytes)
	b := &bruteForce{bytes: bytes, calls: make([][]int, n), callers: make([][]int, n), reaches: make([][]bool, n)}
	for i := range n {
		b.reaches[i] = make([]bool, n)
		b.reaches[i][i] = true
	}
	for _, call := range calls {
		b.calls[call[0]] = append(b.calls[call[0]], call[1])
		b.callers[call[1]] = append(b.callers[call[1]], call[0])
		b.reaches[call[0]][call[1]] = true
	}
	for via := range n {
		for i := range n {
			for j := range n {
				b.reaches[i][j] = b.reaches[i][j] || b.reaches[i][via] && b.reaches[via][j]
			}
		}
	}
	return b
}

func (b *bruteForce) together(i, j int) bool { return b.reaches[i][j] && b.reaches[j][i] }

func (b *bruteForce) charge(i int) int {
	sum := 0
	for j := range b.bytes {
		if b.together(i, j) {
			sum += b.bytes[j]
		}
	}
	return sum
}

func (b *bruteForce) deepest(i int, ways [][]int) int {
	best := 0
	for member := range b.bytes {
		if !b.together(i, member) {
			continue
		}
		for _, next := range ways[member] {
			if !b.together(i, next) {
				best = max(best, b.deepest(next, ways))
			}
		}
	}
	return b.charge(i) + best
}
