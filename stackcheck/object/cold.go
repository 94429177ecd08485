package object

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/chunks"
)

// A coldPart is one of the function of an index.
type coldPart struct {
	Extent
	owner int
}

// A part is what of some places, by the indexes of their addresses, is a cold part of what.
type part struct {
	at, owner int
}

func (p part) compare(at int) int { return cmp.Compare(p.at, at) }

// coldParts finds the cold parts of functions, f.cold, and f.cold.N of gcc 8, for f, and returns them in the order of their addresses. A part
// is a local symbol of the file that has f, and linkers keep the local symbols of a file together: of several local f, the part belongs to the
// last one before it in the symbol table, where all local symbols come first.
func (f *File) coldParts(places []place, starts []int) []part {
	symbol := func(i int) string { return f.nameOf(places[starts[i]]) }
	cold := indexes(len(starts)-1, func(i int) bool {
		_, ok := coldPartOf(symbol(i))
		return ok && f.isLocal(places[starts[i]])
	})
	candidates := make(map[string][]int, len(cold)) // by the function's symbol
	for _, i := range cold {
		function, _ := coldPartOf(symbol(i))
		candidates[function] = nil
	}
	functions := indexes(len(starts)-1, func(i int) bool {
		_, ok := candidates[symbol(i)]
		return ok
	})
	for _, i := range functions {
		candidates[symbol(i)] = append(candidates[symbol(i)], i)
	}
	number := func(i int) uint32 { return places[starts[i]].number }
	for _, some := range candidates {
		slices.SortFunc(some, func(i, j int) int { return cmp.Compare(number(i), number(j)) })
	}
	parts := make([]part, 0, len(cold))
	for _, i := range cold {
		function, _ := coldPartOf(symbol(i))
		some := candidates[function]
		before, _ := slices.BinarySearchFunc(some, number(i), func(j int, n uint32) int { return cmp.Compare(number(j), n) })
		if before > 0 { // local, as all symbols before a local one
			parts = append(parts, part{i, some[before-1]})
		} else if last := len(some) - 1; last >= 0 && !f.isLocal(places[starts[some[last]]]) {
			parts = append(parts, part{i, some[last]})
		}
	}
	return parts
}

// indexes returns those below n, in order, of which something is true.
func indexes(n int, is func(int) bool) []int {
	return chunks.Collect(n, func(first, last int) (found []int) {
		for i := first; i < last; i++ {
			if is(i) {
				found = append(found, i)
			}
		}
		return found
	})
}

func coldPartOf(symbol string) (function string, ok bool) {
	function, number, ok := strings.Cut(symbol, ".cold")
	return function, ok && function != "" && strings.Trim(number, ".0123456789") == ""
}
