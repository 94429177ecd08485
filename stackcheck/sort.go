package stackcheck

import (
	"cmp"
	"slices"

	"github.com/kmodaudit/kmodaudit/chunks"
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
	chunks.Sort(keys, func(a, b sortKey) int {
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
	chunks.Each(len(keys), func(first, last int) {
		for i := first; i < last; i++ {
			functions[i] = unsorted[keys[i].index]
		}
	})
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
