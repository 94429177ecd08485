package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent-test/suite"
)

// printer shows a run as it goes.
type printer interface {
	start(target string, checks int) error
	result(suite.Result) error
	end(suite.Summary) error
}

func knownFormat(format string) bool { return newPrinter(format, false, io.Discard) != nil }

func newPrinter(format string, verbose bool, w io.Writer) printer {
	switch format {
	case "text":
		return &textPrinter{w, verbose}
	case "tap":
		return &tapPrinter{w: w}
	case "json":
		return &jsonPrinter{suite.NewLineWriter(w)}
	case "junit":
		return &junitPrinter{w: w}
	}
	return nil
}

func printList(w io.Writer, checks []suite.Check) error {
	for _, c := range checks {
		if _, err := fmt.Fprintf(w, "%s\n    %s\n    Source: %s\n", c.Name, c.Asserts, c.Source); err != nil {
			return err
		}
	}
	return nil
}

// eventLine is quoted where an event may hold control characters.
func eventLine(e zevent.Event) string {
	return fmt.Sprintf("EID %d, %s, class %q, pool %q, %d bytes",
		e.EID, e.Time.Format("2006-01-02T15:04:05.000000000Z"), e.Class, e.Pool, len(e.Raw))
}

// fewAlike events of one class and pool in a row have a line each.
const fewAlike = 4

// eventLines are the lines of events, of which many alike in a row are told by the first.
func eventLines(events []zevent.Event) (lines []string) {
	for len(events) > 0 {
		first, alike := events[0], 1
		for alike < len(events) && events[alike].Class == first.Class && events[alike].Pool == first.Pool {
			alike++
		}
		if alike <= fewAlike {
			alike = 1
		}
		lines = append(lines, eventLine(first))
		if alike > 1 {
			lines = append(lines, fmt.Sprintf("and %d more of this class, to EID %d", alike-1, events[alike-1].EID))
		}
		events = events[alike:]
	}
	return lines
}

func verboseText(events []zevent.Event) string {
	var b strings.Builder
	for _, e := range events {
		zevent.TextFormat{Verbose: true}.WriteEvent(&b, e) // a Builder has no errors
	}
	return b.String()
}

type textPrinter struct {
	w       io.Writer
	verbose bool // every pair of each event
}

func (p *textPrinter) start(target string, _ int) error {
	_, err := fmt.Fprintf(p.w, "Checking %s\n", target)
	return err
}

func (p *textPrinter) result(r suite.Result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-5s %s\n", r.Status, r.Name)
	if r.Detail != "" {
		fmt.Fprintf(&b, "      %s\n", indent(r.Detail, "      "))
	}
	if r.Status == suite.Fail {
		fmt.Fprintf(&b, "      Asserts: %s\n      Source: %s\n", r.Asserts, r.Source)
	}
	if p.verbose {
		for _, e := range r.Events {
			_, pairs, _ := strings.Cut(verboseText([]zevent.Event{e}), "\n")
			fmt.Fprintf(&b, "      %s\n%s", eventLine(e), harmless(strings.TrimSuffix(pairs, "\n")))
		}
	} else {
		for _, line := range eventLines(r.Events) {
			fmt.Fprintf(&b, "      %s\n", line)
		}
	}
	_, err := io.WriteString(p.w, b.String())
	return err
}

// harmless replaces what could steer a terminal: strings in events are any bytes.
func harmless(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (r < ' ' || r >= 0x7f && r < 0xa0) {
			return '.'
		}
		return r
	}, text)
}

func (p *textPrinter) end(s suite.Summary) error {
	_, err := fmt.Fprintln(p.w, s)
	return err
}

func indent(s, margin string) string { return strings.ReplaceAll(s, "\n", "\n"+margin) }

// tapPrinter writes the Test Anything Protocol, version 13.
type tapPrinter struct {
	w io.Writer
	n int
}

func (p *tapPrinter) start(target string, checks int) error {
	_, err := fmt.Fprintf(p.w, "TAP version 13\n1..%d\n# %s\n", checks, indent(target, "# "))
	return err
}

func (p *tapPrinter) result(r suite.Result) error {
	p.n++
	var b strings.Builder
	switch r.Status {
	case suite.Pass:
		fmt.Fprintf(&b, "ok %d - %s\n", p.n, r.Name)
	case suite.Skip:
		fmt.Fprintf(&b, "ok %d - %s # SKIP %s\n", p.n, r.Name, strings.ReplaceAll(r.Detail, "\n", " "))
	case suite.Fail:
		fmt.Fprintf(&b, "not ok %d - %s\n# %s\n# Asserts: %s\n# Source: %s\n", p.n, r.Name, indent(r.Detail, "# "), r.Asserts, r.Source)
	}
	for _, line := range eventLines(r.Events) {
		fmt.Fprintf(&b, "# %s\n", line)
	}
	_, err := io.WriteString(p.w, b.String())
	return err
}

func (p *tapPrinter) end(s suite.Summary) error {
	_, err := fmt.Fprintf(p.w, "# %v\n", s)
	return err
}

type jsonPrinter struct{ lines *suite.LineWriter }

func (p *jsonPrinter) start(target string, checks int) error { return p.lines.Start(target, checks) }
func (p *jsonPrinter) result(r suite.Result) error           { return p.lines.Result(r) }
func (p *jsonPrinter) end(s suite.Summary) error             { return p.lines.End(s) }

// junitPrinter writes one testsuite, at the end: its head holds the counts.
type junitPrinter struct {
	w     io.Writer
	suite junitSuite
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class     string        `xml:"classname,attr"`
	Name      string        `xml:"name,attr"`
	Seconds   string        `xml:"time,attr"`
	Failure   *junitMessage `xml:"failure"`
	Skipped   *junitMessage `xml:"skipped"`
	SystemOut string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (p *junitPrinter) start(target string, checks int) error {
	p.suite = junitSuite{Name: "zevent-test: " + target, Tests: checks}
	return nil
}

func (p *junitPrinter) result(r suite.Result) error {
	c := junitCase{Class: "zevent-test", Name: r.Name, Seconds: fmt.Sprintf("%.3f", r.Elapsed.Seconds()), SystemOut: verboseText(r.Events)}
	switch r.Status {
	case suite.Fail:
		c.Failure = &junitMessage{r.Detail, "Asserts: " + r.Asserts + "\nSource: " + r.Source}
	case suite.Skip:
		c.Skipped = &junitMessage{Message: r.Detail}
	}
	p.suite.Cases = append(p.suite.Cases, c)
	return nil
}

func (p *junitPrinter) end(s suite.Summary) error {
	p.suite.Failures, p.suite.Skipped = s.Fail, s.Skip
	text, err := xml.MarshalIndent(p.suite, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(p.w, "%s%s\n", xml.Header, text)
	}
	return err
}
