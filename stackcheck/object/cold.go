package object

import (
	"slices"
	"strings"
)

// joinColdParts gives functions their cold parts: f.cold, and f.cold.N of gcc 8, for f. A part is a local symbol of the file
// that has f, and linkers keep the local symbols of a file together: of several local f, the part belongs to the last
// one before it in the symbol table, where all local symbols come first.
func joinColdParts(all []Function) []Function {
	parts := make(map[string][]int) // by the function's symbol
	for i, fn := range all {
		if symbol, ok := coldPartOf(fn.Symbol); ok && fn.Local {
			parts[symbol] = append(parts[symbol], i)
		}
	}
	if len(parts) == 0 {
		return all
	}
	functions := make(map[string][]int)
	for i, fn := range all {
		if parts[fn.Symbol] != nil {
			functions[fn.Symbol] = append(functions[fn.Symbol], i)
		}
	}
	joined := make(map[int]bool)
	for symbol, cold := range parts {
		candidates := byNumber(all, functions[symbol])
		for _, part := range cold {
			if owner, ok := ownerOf(all, all[part].number, candidates); ok {
				all[owner].Cold = append(all[owner].Cold, Extent{all[part].Start, all[part].Size})
				joined[part] = true
			}
		}
	}
	kept := all[:0]
	for i, fn := range all {
		if !joined[i] {
			kept = append(kept, fn)
		}
	}
	return kept
}

func coldPartOf(symbol string) (function string, ok bool) {
	function, number, ok := strings.Cut(symbol, ".cold")
	return function, ok && function != "" && strings.Trim(number, ".0123456789") == ""
}

// byNumber sorts functions as their symbols stand in the table.
func byNumber(all []Function, some []int) []int {
	slices.SortFunc(some, func(i, j int) int { return all[i].number - all[j].number })
	return some
}

// ownerOf returns the last candidate before the part, which is local as all symbols before a local one are, or else the
// last, if that is global.
func ownerOf(all []Function, part int, candidates []int) (owner int, ok bool) {
	at, _ := slices.BinarySearchFunc(candidates, part, func(i, part int) int { return all[i].number - part })
	if at > 0 {
		return candidates[at-1], true
	}
	if last := len(candidates) - 1; last >= 0 && !all[candidates[last]].Local {
		return candidates[last], true
	}
	return 0, false
}

// A coldPart is one of the function of an index.
type coldPart struct {
	Extent
	owner int
}

func coldPartsOf(all []Function) []coldPart {
	var parts []coldPart
	for i, fn := range all {
		for _, part := range fn.Cold {
			parts = append(parts, coldPart{part, i})
		}
	}
	slices.SortFunc(parts, func(a, b coldPart) int { return a.Start.Compare(b.Start) })
	return parts
}
