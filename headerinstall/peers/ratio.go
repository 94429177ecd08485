package main

import (
	"math"
	"slices"
	"time"
)

// A ratio is how long a tool takes, measured by how long its peer takes.
type ratio struct {
	median, least, most float64 // of the ratios of all rounds
}

// A goal is a ratio to reach.
type goal struct {
	scenario   scenario
	tool, peer string
	most       float64
}

// goals are those of the installer.
var goals = []goal{
	{first, kmodauditName, cpName, 1},
	{unchanged, kmodauditName, checksumName, 0.6},
	{unchanged, trustName, cpUpdateName, 1},
}

// ratio compares a goal's tools round by round; it is nil if one of them was not measured.
func (t trial) ratio(g goal) *ratio {
	tool, peer := t.row(g.tool).samples[g.scenario], t.row(g.peer).samples[g.scenario]
	if len(tool) == 0 || len(peer) == 0 {
		return nil
	}
	r := ratios(tool, peer)
	return &r
}

func ratios(tool, peer []Sample) ratio {
	all := make([]float64, len(tool))
	for i := range tool {
		all[i] = float64(tool[i].Wall) / float64(peer[i].Wall)
	}
	return ratio{median(all), slices.Min(all), slices.Max(all)}
}

// verdict says whether a number, as it is printed, is no more than a limit.
func verdict(n, limit float64) string {
	if math.Round(100*n) > math.Round(100*limit) {
		return "missed"
	}
	return "met"
}

// median of an even number of values is the mean of the two in the middle.
func median[T time.Duration | int64 | float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}
