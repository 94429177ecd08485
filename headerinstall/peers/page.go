package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
)

//go:embed page.md.tmpl
var pageText string

// A page is what was measured, as a document shows it.
type page struct {
	Machine machine
	Trials  []trial
	Memory  []trial // those that are compared by memory
	Absent  []tool  // not on this machine
	Slow    bool    // slow tools were measured with all sizes of trees
}

// markdown returns the document.
func (p page) markdown() ([]byte, error) {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, p)
	return b.Bytes(), err
}

// table writes a table in the dialect of GitHub: the first column is text, the others are numbers.
func table(columns []string, rows [][]string) string {
	var b strings.Builder
	line := func(cells []string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(columns)
	b.WriteString("| --- |" + strings.Repeat(" ---: |", len(columns)-1) + "\n")
	for _, row := range rows {
		line(row)
	}
	return b.String()
}

// GoalTable is the table of ratios.
func (p page) GoalTable() string {
	var rows [][]string
	for _, g := range goals {
		for _, t := range p.Trials {
			rows = append(rows, goalRow(g, t))
		}
	}
	return table([]string{"scenario, tool and peer", "headers", "on", "median", "range", "goal", ""}, rows)
}

func goalRow(g goal, t trial) []string {
	name := fmt.Sprintf("%s: `%s` : `%s`", scenarioNames[g.scenario], g.tool, g.peer)
	row := []string{name, grouped(t.Tree.Headers), t.FileSystem}
	limit := fmt.Sprintf("≤ %.2f", g.most)
	r := t.ratio(g)
	if r == nil {
		return append(row, "", "", limit, "not measured")
	}
	return append(row, fmt.Sprintf("%.2f", r.median), fmt.Sprintf("%.2f–%.2f", r.least, r.most), limit, verdict(r.median, g.most))
}

var scenarioNames = [scenarios]string{"first", "unchanged", "one changed"}

// Title says what a trial was made with.
func (t trial) Title() string {
	rounds := "rounds"
	if t.Rounds == 1 {
		rounds = "round"
	}
	return fmt.Sprintf("%s headers on %s, %d %s", grouped(t.Tree.Headers), t.FileSystem, t.Rounds, rounds)
}

// Size says how large the tree of a trial is.
func (t trial) Size() string {
	return fmt.Sprintf("%s MB in %s directories", megabytes(t.Tree.Bytes), grouped(t.Tree.Directories))
}

// Table is what was measured of each tool.
func (t trial) Table() string {
	columns := []string{"tool"}
	for _, name := range scenarioNames {
		columns = append(columns, name, "CPU")
	}
	var rows [][]string
	for _, r := range t.Rows {
		cells := []string{"`" + r.Tool + "`"}
		for _, samples := range r.samples {
			cells = append(cells, wallCell(samples), cpuCell(samples))
		}
		rows = append(rows, append(cells, peakCell(r.all())))
	}
	return table(append(columns, "peak MB"), rows)
}

// wallCell is minimum and median, in milliseconds.
func wallCell(samples []Sample) string {
	walls := each(samples, func(s Sample) time.Duration { return s.Wall })
	return milliseconds(slices.Min(walls)) + " / " + milliseconds(median(walls))
}

// cpuCell is the median, in milliseconds.
func cpuCell(samples []Sample) string {
	return milliseconds(median(each(samples, func(s Sample) time.Duration { return s.CPU })))
}

// peakCell is the maximum, in MB. Where the kernel can tell an upper bound only, it is that.
func peakCell(samples []Sample) string {
	largest := largestPeak(samples)
	if largest.Bound {
		return "≤ " + megabytes(largest.Peak)
	}
	return megabytes(largest.Peak)
}

func milliseconds(d time.Duration) string {
	ms := d.Seconds() * 1000
	if ms < 100 {
		return fmt.Sprintf("%.1f", ms)
	}
	return grouped(int(math.Round(ms)))
}

// grouped writes a number with a comma between thousands.
func grouped(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", grouped(n/1000), n%1000)
}

func each[T any](samples []Sample, of func(Sample) T) []T {
	all := make([]T, len(samples))
	for i, s := range samples {
		all[i] = of(s)
	}
	return all
}

// flat is how many times the memory that the first tree takes another one may take, for memory to be called flat.
const flat = 1.25

// MemoryTable is the peaks of the installer.
func (p page) MemoryTable() string {
	var rows [][]string
	for _, t := range p.Memory {
		peak := func(t trial) int64 { return largestPeak(t.row(kmodauditName).all()).Peak }
		times := float64(peak(t)) / float64(peak(p.Memory[0]))
		row := []string{grouped(t.Tree.Headers) + " headers", megabytes(t.Tree.Bytes), megabytes(t.Tree.Largest)}
		for _, samples := range t.row(kmodauditName).samples {
			row = append(row, peakCell(samples))
		}
		rows = append(rows, append(row, fmt.Sprintf("%.2f", times), verdict(times, flat)))
	}
	return table([]string{"tree", "MB", "largest header, MB", "first", "unchanged", "one changed", "to the first tree", ""}, rows)
}

func largestPeak(samples []Sample) Sample {
	return slices.MaxFunc(samples, func(a, b Sample) int { return cmp.Compare(a.Peak, b.Peak) })
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f", float64(n)/1e6) }

// Flat is the limit of MemoryTable.
func (p page) Flat() string { return fmt.Sprintf("%.2f", flat) }
