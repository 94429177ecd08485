package main

import (
	_ "embed"
	"fmt"
	"slices"
	"time"

	"github.com/kmodaudit/kmodaudit/measure"
)

//go:embed page.md.tmpl
var pageText string

// A page is what was measured, as a document shows it.
type page struct {
	Machine measure.Machine
	Rounds  int
	Results []result
}

// markdown returns the document.
func (p page) markdown() ([]byte, error) { return measure.Fill(pageText, p) }

// Ratios is the table of ratios, of wall and of CPU times.
func (p page) Ratios() string {
	var rows [][]string
	for _, r := range p.Results {
		wall, cpu := measure.Ratios(r.tools, r.peers), measure.Ratios(asWall(r.tools), asWall(r.peers))
		name := fmt.Sprintf("%s: `%s` : `%s`", r.Name, r.Tool, r.Peer)
		limit, verdict := r.goal(wall)
		rows = append(rows, []string{name, number(wall.Median), number(wall.Least) + "–" + number(wall.Most), number(cpu.Median), limit, verdict})
	}
	return measure.Table([]string{"input, tool and peer", "median", "range", "CPU", "goal", ""}, rows)
}

// goal says what was to be reached, and whether it was.
func (r result) goal(wall measure.Ratio) (limit, verdict string) {
	switch {
	case r.wall == 0 && r.limit < inverse:
		return "≤ " + number(r.limit), measure.Verdict(1/r.limit, 1/wall.Median)
	case r.wall == 0:
		return "≤ " + number(r.limit), measure.Verdict(wall.Median, r.limit)
	}
	walls := make([]time.Duration, len(r.tools))
	for i, s := range r.tools {
		walls[i] = s.Wall
	}
	return "≤ " + r.wall.String(), measure.Verdict(float64(measure.Median(walls)), float64(r.wall))
}

// asWall puts CPU times in the place of wall times.
func asWall(samples []measure.Sample) []measure.Sample {
	samples = slices.Clone(samples)
	for i := range samples {
		samples[i].Wall = max(samples[i].CPU, 1)
	}
	return samples
}

// inverse is below which a ratio is written as what it is the inverse of.
const inverse = 0.1

func number(n float64) string {
	if n < inverse {
		return fmt.Sprintf("1/%.0f", 1/n)
	}
	return fmt.Sprintf("%.2f", n)
}

// Figures is the table of all times.
func (p page) Figures() string {
	var rows [][]string
	for _, r := range p.Results {
		rows = append(rows,
			[]string{fmt.Sprintf("%s: `%s`", r.Name, r.Tool), measure.WallCell(r.tools), measure.CPUCell(r.tools), measure.PeakCell(r.tools)},
			[]string{fmt.Sprintf("%s: `%s`", r.Name, r.Peer), measure.WallCell(r.peers), measure.CPUCell(r.peers), measure.PeakCell(r.peers)})
	}
	return measure.Table([]string{"input and tool", "wall", "CPU", "peak MB"}, rows)
}

// HasCold says whether files were read that were not in memory.
func (p page) HasCold() bool {
	return slices.ContainsFunc(p.Results, func(r result) bool { return r.cold })
}

// HasObjects says whether machine code was read.
func (p page) HasObjects() bool {
	return slices.ContainsFunc(p.Results, func(r result) bool { return r.binary })
}
