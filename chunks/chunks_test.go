package chunks

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// lengths are those at which the work is divided in another way.
var lengths = []int{0, 1, least - 1, least, 2*least + 1, most - 1, most, most + 1, 2 * most, 10*most + 17}

func TestEach(t *testing.T) {
	for _, n := range lengths {
		calls := make([]int, n)
		Each(n, func(first, last int) {
			for i := first; i < last; i++ {
				calls[i]++
			}
		})
		if slices.ContainsFunc(calls, func(n int) bool { return n != 1 }) {
			t.Errorf("%d elements: not each was worked on once", n)
		}
	}
}

func TestCollect(t *testing.T) {
	for _, n := range lengths {
		even := func(first, last int) (even []int) {
			for i := first; i < last; i++ {
				if i%2 == 0 {
					even = append(even, i)
				}
			}
			return even
		}
		for _, got := range [][]int{Collect(n, even), CollectBy(7, n, even)} {
			if len(got) != (n+1)/2 || !slices.IsSorted(got) {
				t.Errorf("%d elements: %d are even", n, len(got))
			}
		}
	}
}

func TestSort(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range lengths {
		for _, different := range []int{1, 2, 1 << 40} {
			all := make([]int, n)
			for i := range all {
				all[i] = random.IntN(different)
			}
			want := slices.Sorted(slices.Values(all))
			if Sort(all, cmp.Compare); !slices.Equal(all, want) {
				t.Errorf("%d elements of %d are not sorted", n, different)
			}
		}
	}
}
