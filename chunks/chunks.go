// Package chunks has several goroutines work on one slice.
package chunks

import (
	"runtime"
	"slices"
	"sync"
)

// Elements of a chunk, where each takes some tens of nanoseconds or more. More chunks than processors even out what takes some longer; what takes less
// than some tens of microseconds is not worth a goroutine.
const (
	least = 512
	most  = 4096
)

// Size is how many of n elements are a goroutine's: so that each processor has as many, if there are enough.
func Size(n int) int {
	chunks := max((n+most-1)/most, min(n/least, runtime.GOMAXPROCS(0)), 1)
	return max((n+chunks-1)/chunks, 1)
}

// Each calls do for the chunks of a slice of n elements, from first up to last, several at once, and returns when all are done.
func Each(n int, do func(first, last int)) { each(Size(n), n, do) }

func each(size, n int, do func(first, last int)) {
	var all sync.WaitGroup
	for first := 0; first < n; first += size {
		all.Go(func() { do(first, min(first+size, n)) })
	}
	all.Wait()
}

// Collect returns what of returns for the chunks of a slice of n elements, one behind the other. It is called for several at once.
func Collect[T any](n int, of func(first, last int) []T) []T { return CollectBy(Size(n), n, of) }

// CollectBy is Collect with chunks of a size, for elements that take longer.
func CollectBy[T any](size, n int, of func(first, last int) []T) []T {
	found := make([][]T, (n+size-1)/size)
	each(size, n, func(first, last int) { found[first/size] = of(first, last) })
	return slices.Concat(found...)
}

// Sort sorts a slice as slices.SortFunc does: a part on each processor, and then these are merged.
func Sort[T any](all []T, compare func(a, b T) int) {
	size := len(all)
	if processors := runtime.GOMAXPROCS(0); size/processors >= least {
		size = (size + processors - 1) / processors
	}
	each(size, len(all), func(first, last int) { slices.SortFunc(all[first:last], compare) })
	for sorted := size; sorted < len(all); sorted += size {
		merge(all[:min(sorted+size, len(all))], sorted, compare)
	}
}

// merge sorts a slice of which the first elements are sorted, and the others.
func merge[T any](all []T, sorted int, compare func(a, b T) int) {
	first, second := slices.Clone(all[:sorted]), all[sorted:]
	for i := range all {
		if len(first) == 0 { // the others are in their places
			return
		}
		if len(second) == 0 || compare(first[0], second[0]) <= 0 {
			all[i], first = first[0], first[1:]
		} else {
			all[i], second = second[0], second[1:]
		}
	}
}
