package stackcheck

import (
	"cmp"
	"hash/maphash"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/kmodaudit/kmodaudit/chunks"
)

// A sortKey tells the places of most functions by integers that lie together: to compare functions themselves takes memory from
// all over the heap.
type sortKey struct {
	sizeAndFile uint64 // the largest size first
	name        uint64 // of the function, its first bytes
	index       uint32
}

// sortFunctions orders functions as frame.Compare does their first frames, and returns how many repeat another, see Build.Repeated.
func sortFunctions(functions []Function) (repeated int) {
	files := rankFiles(functions)
	keys := make([]sortKey, len(functions))
	type place struct {
		function     string
		file         uint32
		line, column int
	}
	places := make([]uint64, len(functions)) // hashes, of which a million have none in common by chance
	seed := maphash.MakeSeed()
	chunks.Each(len(functions), func(first, last int) {
		for i := first; i < last; i++ {
			f := &functions[i].Frames[0]
			keys[i] = sortKey{(math.MaxUint32-uint64(f.Bytes))<<32 | uint64(files[i]), prefix(f.Function), uint32(i)}
			if f.Line > 0 {
				places[i] = max(1, maphash.Comparable(seed, place{f.Function, files[i], f.Line, f.Column}))
			}
		}
	})
	repeated = countRepeated(places)
	chunks.Sort(keys, func(a, b sortKey) int {
		switch {
		case a.sizeAndFile != b.sizeAndFile:
			return cmp.Compare(a.sizeAndFile, b.sizeAndFile)
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
	return repeated
}

// countRepeated returns how many of the hashes that are not 0 repeat another. It deals them to heaps by their first bits, so that those that a heap has
// had lie together.
func countRepeated(hashes []uint64) (repeated int) {
	const heapBits = 9
	heapOf := func(hash uint64) uint64 { return hash >> (64 - heapBits) }
	var starts [1<<heapBits + 1]int
	for _, hash := range hashes {
		if hash != 0 {
			starts[heapOf(hash)+1]++
		}
	}
	for heap := range 1 << heapBits {
		starts[heap+1] += starts[heap]
	}
	dealt, ends := make([]uint64, starts[1<<heapBits]), starts
	for _, hash := range hashes {
		if hash != 0 {
			end := &ends[heapOf(hash)]
			dealt[*end] = hash
			*end++
		}
	}
	workers := runtime.GOMAXPROCS(0)
	in := make([]int, workers)
	var counting sync.WaitGroup
	for worker := range workers {
		counting.Go(func() {
			var seen []uint64
			for heap := worker; heap < 1<<heapBits; heap += workers {
				var n int
				n, seen = countRepeatedAmong(dealt[starts[heap]:starts[heap+1]], seen)
				in[worker] += n
			}
		})
	}
	counting.Wait()
	for _, n := range in {
		repeated += n
	}
	return repeated
}

// countRepeatedAmong looks hashes up by their last bits, from where those with the same last bits follow. It uses seen if it is large enough,
// and returns what it has used.
func countRepeatedAmong(hashes, seen []uint64) (repeated int, used []uint64) {
	mask := uint64(1)<<bits.Len(2*uint(len(hashes))) - 1 // so that half of the places are free
	seen = slices.Grow(seen[:0], int(mask)+1)[:mask+1]
	clear(seen)
	for _, hash := range hashes {
		at := hash & mask
		for seen[at] != 0 && seen[at] != hash {
			at = (at + 1) & mask
		}
		if seen[at] == hash {
			repeated++
		}
		seen[at] = hash
	}
	return repeated, seen
}

// rankFiles returns the rank of each function's file, of all files in their order.
func rankFiles(functions []Function) []uint32 {
	ranks := make([]uint32, len(functions)) // at first the number of the file in the chunk
	size := chunks.Size(len(functions))
	inChunk := make([][]string, (len(functions)+size-1)/size)
	chunks.Each(len(functions), func(first, last int) {
		var names []string
		numbers := make(map[string]uint32)
		before := ""
		for i := first; i < last; i++ {
			name := functions[i].Frames[0].File
			if i > first && name == before { // mostly
				ranks[i] = ranks[i-1]
				continue
			}
			number, ok := numbers[name]
			if !ok {
				number = uint32(len(names))
				numbers[name] = number
				names = append(names, name)
			}
			ranks[i], before = number, name
		}
		inChunk[first/size] = names
	})
	names := slices.Concat(inChunk...)
	chunks.Sort(names, strings.Compare)
	names = slices.Compact(names)
	chunks.Each(len(functions), func(first, last int) {
		var rankOf []uint32
		for _, name := range inChunk[first/size] {
			rank, _ := slices.BinarySearch(names, name)
			rankOf = append(rankOf, uint32(rank))
		}
		for i := first; i < last; i++ {
			ranks[i] = rankOf[ranks[i]]
		}
	})
	return ranks
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
