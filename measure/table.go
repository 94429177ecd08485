package measure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Table writes a table in the dialect of GitHub: the first column is text, the others are numbers.
func Table(columns []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) {
		for _, cell := range cells {
			b.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
		}
		b.WriteString("|\n")
	}
	line(columns)
	b.WriteString("| --- |" + strings.Repeat(" ---: |", len(columns)-1) + "\n")
	for _, row := range rows {
		line(row)
	}
	return b.String()
}

// WallCell is minimum and median, in milliseconds.
func WallCell(samples []Sample) string {
	walls := each(samples, func(s Sample) time.Duration { return s.Wall })
	return milliseconds(slices.Min(walls)) + " / " + milliseconds(Median(walls))
}

// CPUCell is the median, in milliseconds.
func CPUCell(samples []Sample) string {
	return milliseconds(Median(each(samples, func(s Sample) time.Duration { return s.CPU })))
}

// PeakCell is the maximum, in MB. Where the kernel can tell an upper bound only, it is that.
func PeakCell(samples []Sample) string {
	largest := LargestPeak(samples)
	if largest.Bound {
		return "≤ " + Megabytes(largest.Peak)
	}
	return Megabytes(largest.Peak)
}

// milliseconds writes a time.
func milliseconds(d time.Duration) string {
	ms := d.Seconds() * 1000
	if ms < 100 {
		return fmt.Sprintf("%.1f", ms)
	}
	return Grouped(int(math.Round(ms)))
}

// Grouped writes a number with a comma between thousands.
func Grouped(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", Grouped(n/1000), n%1000)
}

func each[T any](samples []Sample, of func(Sample) T) []T {
	all := make([]T, len(samples))
	for i, s := range samples {
		all[i] = of(s)
	}
	return all
}

// LargestPeak returns the sample with the largest peak.
func LargestPeak(samples []Sample) Sample {
	return slices.MaxFunc(samples, func(a, b Sample) int { return cmp.Compare(a.Peak, b.Peak) })
}

// Megabytes writes bytes as megabytes.
func Megabytes(n int64) string { return fmt.Sprintf("%.1f", float64(n)/1e6) }
