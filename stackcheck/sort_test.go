package stackcheck

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

// However many functions there are, they are sorted as frame.Compare does, and those at the place of another are counted.
func TestSortFunctions(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 100, 5000, 20_000} {
		frames := make([]frame.Frame, n)
		functions := make([]Function, n)
		places := make(map[string]int)
		withPlace := 0
		for i := range frames {
			f := frame.Frame{
				Function: fmt.Sprintf("common_%d", random.IntN(30)), File: fmt.Sprintf("f%d.c", random.IntN(20)),
				Line: random.IntN(8), Column: random.IntN(3), Bytes: random.IntN(50),
			}
			if f.Line > 0 {
				withPlace++
				places[fmt.Sprint(f.Function, f.File, f.Line, f.Column)]++
			}
			frames[i], functions[i] = f, Function{frames[i : i+1]}
		}
		if got, want := sortFunctions(functions), withPlace-len(places); got != want {
			t.Errorf("of %d functions, %d repeat another, want %d", n, got, want)
		}
		if !slices.IsSortedFunc(functions, func(a, b Function) int { return a.Frames[0].Compare(&b.Frames[0]) }) {
			t.Errorf("%d functions are not sorted", n)
		}
	}
}
