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

// goal is the ratio that was asked for.
const goal = 1.5

// A page is what was measured, as a document shows it.
type page struct {
	Machine               measure.Machine
	Rounds                int
	Module, Kernel, Accel string
	Empty                 []measure.Sample
	Guests                []measure.Sample // both together
	BootedFirst           []measure.Sample // the boot, and then these
}

// markdown returns the document.
func (p page) markdown() ([]byte, error) { return measure.Fill(pageText, p) }

// Ratios is the table of ratios to the empty init.
func (p page) Ratios() string {
	row := func(name string, samples []measure.Sample) []string {
		wall := measure.Ratios(samples, p.Empty)
		cpu := measure.Ratios(byProcessor(samples), byProcessor(p.Empty))
		return []string{name, ratio(wall), ratio(cpu), fmt.Sprintf("%.1f: %s", goal, measure.Verdict(wall.Median, goal))}
	}
	return measure.Table([]string{"", "start to verdict", "processor", "goal"}, [][]string{row("guests", p.Guests), row("boot and guests", p.BootedFirst)})
}

// Times is the table of seconds.
func (p page) Times() string {
	row := func(name string, samples []measure.Sample) []string {
		return []string{name, seconds(walls(samples)), seconds(walls(byProcessor(samples)))}
	}
	return measure.Table([]string{"", "start to init, or to verdict", "processor"}, [][]string{
		row("empty init", p.Empty), row("guests", p.Guests), row("boot and guests", p.BootedFirst),
	})
}

// byProcessor has the processor's time in place of the wall clock's.
func byProcessor(samples []measure.Sample) []measure.Sample {
	all := slices.Clone(samples)
	for i := range all {
		all[i].Wall = all[i].CPU
	}
	return all
}

func walls(samples []measure.Sample) (all []time.Duration) {
	for _, s := range samples {
		all = append(all, s.Wall)
	}
	return all
}

func ratio(r measure.Ratio) string {
	return fmt.Sprintf("%.2f (%.2f to %.2f)", r.Median, r.Least, r.Most)
}

func seconds(all []time.Duration) string {
	return fmt.Sprintf("%.1f (%.1f to %.1f) s", measure.Median(all).Seconds(), slices.Min(all).Seconds(), slices.Max(all).Seconds())
}
