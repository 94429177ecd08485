package framemap

import (
	"cmp"
	"slices"
)

// A Span is the bytes from From up to To of a frame, as distances from its base: of gcc, below zero.
type Span struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// Bytes returns how many bytes the spans cover, those of several once.
func Bytes(spans []Span) int {
	total := 0
	for _, s := range union(spans) {
		total += s.To - s.From
	}
	return total
}

// union returns the same bytes as spans that do not touch, in their order.
func union(spans []Span) []Span {
	sorted := slices.SortedFunc(slices.Values(spans), func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	joined := sorted[:0]
	for _, s := range sorted {
		if last := len(joined) - 1; last >= 0 && s.From <= joined[last].To {
			joined[last].To = max(joined[last].To, s.To)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// MarginalBytes returns for each of several sets of spans how many bytes it covers that no other covers.
func MarginalBytes(sets [][]Span) []int {
	type edge struct {
		at, set, count int // 1 where one of the set's spans begins, -1 where it ends
	}
	var edges []edge
	for i, set := range sets {
		for _, s := range union(set) {
			edges = append(edges, edge{s.From, i, 1}, edge{s.To, i, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	marginal := make([]int, len(sets))
	open, sum, last := 0, 0, 0 // sum of the numbers of the sets that are open: of one, its number
	for _, e := range edges {
		if open == 1 {
			marginal[sum] += e.at - last
		}
		open, sum, last = open+e.count, sum+e.count*e.set, e.at
	}
	return marginal
}
