package measure

import (
	"math"
	"slices"
	"time"
)

// A Ratio is how long a tool takes, measured by how long its peer takes.
type Ratio struct {
	Median, Least, Most float64 // of the ratios of all rounds
}

// Ratios compares the samples of two tools round by round.
func Ratios(tool, peer []Sample) Ratio {
	all := make([]float64, len(tool))
	for i := range tool {
		all[i] = float64(tool[i].Wall) / float64(peer[i].Wall)
	}
	return Ratio{Median(all), slices.Min(all), slices.Max(all)}
}

// Verdict says whether a number, as it is printed, is no more than a limit.
func Verdict(n, limit float64) string {
	if math.Round(100*n) > math.Round(100*limit) {
		return "missed"
	}
	return "met"
}

// Median of an even number of values is the mean of the two in the middle.
func Median[T time.Duration | int64 | float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}
