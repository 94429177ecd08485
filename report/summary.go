// Package report shows finished results, as text and as JSON. It computes nothing
// that an audit should have found.
package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/kmodaudit/kmodaudit/audit"
)

// Summary prints a result: a line an audit with its figures and where its input
// came from, each finding, and the verdict.
func Summary(w io.Writer, r audit.Result) error {
	var b strings.Builder
	section(&b, "headers", r.Headers.Section, headersLine(r.Headers))
	section(&b, "stack", r.Stack.Section, stackLine(r.Stack))
	observed(&b, r.Stack.Observed)
	section(&b, "events", r.Events.Section, eventsLine(r.Events))
	fmt.Fprintf(&b, "verdict  %s\n", verdictText[r.Verdict])
	_, err := io.WriteString(w, b.String())
	return err
}

var verdictText = map[audit.Verdict]string{
	audit.Clean:    "clean",
	audit.Findings: "findings",
	audit.Failed:   "could not be done",
}

func section(b *strings.Builder, name string, s audit.Section, line string) {
	fmt.Fprintf(b, "%-8s %s", name, line)
	if s.Origin != (audit.Origin{}) {
		fmt.Fprintf(b, " [%s: %s]", s.Origin.Kind, printable(s.Origin.What))
	}
	b.WriteString("\n")
	for _, f := range s.Findings {
		fmt.Fprintf(b, "  finding: %s\n", findingText(f))
	}
	for _, warning := range s.Warnings {
		fmt.Fprintf(b, "  warning: %s\n", printable(warning))
	}
	if s.Error != "" {
		b.WriteString("  error: " + strings.ReplaceAll(printableLines(s.Error), "\n", "\n    ") + "\n")
	}
}

func findingText(f audit.Finding) string {
	text := printable(f.What)
	if f.Where != "" {
		text = printable(f.Where) + ": " + text
	}
	if f.Remedy != "" {
		text += "; " + printable(f.Remedy)
	}
	return text
}

func headersLine(h audit.Headers) string {
	if h.Headers == 0 {
		return "none installed"
	}
	var depths []string
	for depth, n := range h.ByDepth {
		depths = append(depths, fmt.Sprintf("%d at depth %d", n, depth))
	}
	return fmt.Sprintf("%s installed into %s: %s", count(h.Headers, "header"), printable(h.Destination), strings.Join(depths, ", "))
}

func stackLine(s audit.Stack) string {
	if s.Frames == 0 {
		return "no frame read"
	}
	var b strings.Builder
	b.WriteString(count(s.Frames, "frame"))
	if len(s.Heaviest) > 0 {
		f := s.Heaviest[0]
		fmt.Fprintf(&b, ", the heaviest %s %s (%s:%d)", printable(f.Function), bytes(f.Bytes), printable(f.File), f.Line)
	}
	fmt.Fprintf(&b, "; %s above %s, %s waived", grouped(s.Above), bytes(s.LimitBytes), grouped(s.Waived))
	for _, watched := range s.Watched {
		fmt.Fprintf(&b, "; %s", watchedText(watched))
	}
	return b.String()
}

func watchedText(w audit.Watched) string {
	name := printable(w.Function)
	if len(w.Frames) == 0 {
		return name + " is not there"
	}
	text := name + " takes " + bytes(w.Frames[0].Bytes)
	if len(w.Frames) > 1 {
		text += fmt.Sprintf(" (largest of %d)", len(w.Frames))
	}
	if w.WorstPathBytes > 0 {
		text += ", the deepest path through it " + bound(w.WorstPathBytes, w.LowerBound)
	}
	return text
}

func eventsLine(e audit.Events) string {
	if len(e.Checks) == 0 {
		return "none checked"
	}
	return fmt.Sprintf("%s of %s decoded; %s: %s passed, %s failed, %s skipped",
		count(e.Decoded, "event"), count(len(e.Classes), "class"), count(len(e.Checks), "check"),
		grouped(e.Count("pass")), grouped(e.Count("fail")), grouped(e.Count("skip")))
}

func bound(n int, lower bool) string {
	if lower {
		return "at least " + bytes(n)
	}
	return bytes(n)
}

func bytes(n int) string { return grouped(n) + " B" }

// count returns a number of things.
func count(n int, what string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(what, "s"):
		what += "es"
	default:
		what += "s"
	}
	return grouped(n) + " " + what
}

// grouped writes a number with commas between thousands.
func grouped(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
