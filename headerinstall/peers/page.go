package main

import (
	_ "embed"
	"fmt"

	"github.com/kmodaudit/kmodaudit/measure"
)

//go:embed page.md.tmpl
var pageText string

// A page is what was measured, as a document shows it.
type page struct {
	Machine measure.Machine
	Trials  []trial
	Memory  []trial // those that are compared by memory
	Absent  []tool  // not on this machine
	Slow    bool    // slow tools were measured with all sizes of trees
}

// markdown returns the document.
func (p page) markdown() ([]byte, error) { return measure.Fill(pageText, p) }

// GoalTable is the table of ratios.
func (p page) GoalTable() string {
	var rows [][]string
	for _, g := range goals {
		for _, t := range p.Trials {
			rows = append(rows, goalRow(g, t))
		}
	}
	return measure.Table([]string{"scenario, tool and peer", "headers", "on", "median", "range", "goal", ""}, rows)
}

func goalRow(g goal, t trial) []string {
	name := fmt.Sprintf("%s: `%s` : `%s`", scenarioNames[g.scenario], g.tool, g.peer)
	row := []string{name, measure.Grouped(t.Tree.Headers), t.FileSystem}
	limit := fmt.Sprintf("≤ %.2f", g.most)
	r := t.ratio(g)
	if r == nil {
		return append(row, "", "", limit, "not measured")
	}
	return append(row, fmt.Sprintf("%.2f", r.Median), fmt.Sprintf("%.2f–%.2f", r.Least, r.Most), limit, measure.Verdict(r.Median, g.most))
}

var scenarioNames = [scenarios]string{"first", "unchanged", "one changed"}

// Title says what a trial was made with.
func (t trial) Title() string {
	rounds := "rounds"
	if t.Rounds == 1 {
		rounds = "round"
	}
	return fmt.Sprintf("%s headers on %s, %d %s", measure.Grouped(t.Tree.Headers), t.FileSystem, t.Rounds, rounds)
}

// Size says how large the tree of a trial is.
func (t trial) Size() string {
	return fmt.Sprintf("%s MB in %s directories", measure.Megabytes(t.Tree.Bytes), measure.Grouped(t.Tree.Directories))
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
			cells = append(cells, measure.WallCell(samples), measure.CPUCell(samples))
		}
		rows = append(rows, append(cells, measure.PeakCell(r.all())))
	}
	return measure.Table(append(columns, "peak MB"), rows)
}

// flat is how many times the memory that the first tree takes another one may take, for memory to be called flat.
const flat = 1.25

// MemoryTable is the peaks of the installer.
func (p page) MemoryTable() string {
	var rows [][]string
	for _, t := range p.Memory {
		peak := func(t trial) int64 { return measure.LargestPeak(t.row(kmodauditName).all()).Peak }
		times := float64(peak(t)) / float64(peak(p.Memory[0]))
		row := []string{measure.Grouped(t.Tree.Headers) + " headers", measure.Megabytes(t.Tree.Bytes), measure.Megabytes(t.Tree.Largest)}
		for _, samples := range t.row(kmodauditName).samples {
			row = append(row, measure.PeakCell(samples))
		}
		rows = append(rows, append(row, fmt.Sprintf("%.2f", times), measure.Verdict(times, flat)))
	}
	return measure.Table([]string{"tree", "MB", "largest header, MB", "first", "unchanged", "one changed", "to the first tree", ""}, rows)
}

// Flat is the limit of MemoryTable.
func (p page) Flat() string { return fmt.Sprintf("%.2f", flat) }
