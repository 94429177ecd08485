package stackcheck

import (
	"cmp"
	"runtime"
	"slices"
	"sync"

	"github.com/kmodaudit/kmodaudit/stackcheck/internal/chunks"
)

// A sortKey tells the places of most functions by integers that lie together: to compare functions themselves takes memory from
// all over the heap.
type sortKey struct {
	smallness   uint64
	name        uint64 // of the function, its first bytes
	file, index uint32
}

// sortFunctions orders functions as frame.Compare does their first frames.
func sortFunctions(functions []Function) {
	files := rankFiles(functions)
	keys := make([]sortKey, len(functions))
	chunks.Each(len(functions), func(first, last int) {
		for i := first; i < last; i++ {
			f := &functions[i].Frames[0]
			keys[i] = sortKey{^uint64(f.Bytes), prefix(f.Function), files[i], uint32(i)}
		}
	})
	sortParts(keys, func(a, b sortKey) int {
		switch {
		case a.smallness != b.smallness:
			return cmp.Compare(a.smallness, b.smallness)
		case a.file != b.file:
			return cmp.Compare(a.file, b.file)
		case a.name != b.name:
			return cmp.Compare(a.name, b.name)
		}
		return functions[a.index].Frames[0].Compare(&functions[b.index].Frames[0])
	})
	unsorted := slices.Clone(functions)
	for i, key := range keys {
		functions[i] = unsorted[key.index]
	}
}

// rankFiles returns the rank of each function's file, of all files in their order.
func rankFiles(functions []Function) []uint32 {
	var names []string
	numbers := make(map[string]uint32)
	of := make([]uint32, len(functions))
	for i := range functions {
		name := functions[i].Frames[0].File
		if i > 0 && name == functions[i-1].Frames[0].File { // mostly
			of[i] = of[i-1]
			continue
		}
		number, ok := numbers[name]
		if !ok {
			number = uint32(len(names))
			numbers[name] = number
			names = append(names, name)
		}
		of[i] = number
	}
	ranks := make([]uint32, len(names))
	slices.Sort(names)
	for rank, name := range names {
		ranks[numbers[name]] = uint32(rank)
	}
	for i := range of {
		of[i] = ranks[of[i]]
	}
	return of
}

// prefix returns the first bytes of a string as an integer, in the order of strings.
func prefix(s string) (first uint64) {
	for i := range 8 {
		first <<= 8
		if i < len(s) {
			first |= uint64(s[i])
		}
	}
	return first
}

// sortParts sorts on all processors: a part on each, and then these are merged.
func sortParts(keys []sortKey, compare func(a, b sortKey) int) {
	size := max(chunks.Size, (len(keys)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var sorting sync.WaitGroup
	for part := range slices.Chunk(keys, size) {
		sorting.Go(func() { slices.SortFunc(part, compare) })
	}
	sorting.Wait()
	for merged := size; merged < len(keys); merged += size {
		merge(keys[:min(merged+size, len(keys))], merged, compare)
	}
}

// merge sorts keys of which those before the middle are sorted, and the others.
func merge(keys []sortKey, middle int, compare func(a, b sortKey) int) {
	first, second := slices.Clone(keys[:middle]), keys[middle:]
	for i := range keys {
		if len(first) == 0 { // the others are in their places
			return
		}
		if len(second) == 0 || compare(first[0], second[0]) <= 0 {
			keys[i], first = first[0], first[1:]
		} else {
			keys[i], second = second[0], second[1:]
		}
	}
}
