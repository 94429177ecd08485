// Package chunks has several goroutines work on one slice.
package chunks

import "sync"

// Size is how many elements are a goroutine's, where each takes some tens of nanoseconds or more.
const Size = 4096

// Each calls do for the chunks of a slice of n elements, from first up to last, several at once, and returns when all are done.
func Each(n int, do func(first, last int)) {
	var all sync.WaitGroup
	for first := 0; first < n; first += Size {
		all.Go(func() { do(first, min(first+Size, n)) })
	}
	all.Wait()
}
