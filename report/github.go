package report

import (
	"fmt"
	"strings"
)

// An Annotation is a finding at a place in the source.
type Annotation struct {
	File         string // relative to the repository; empty for none
	Line, Column int    // from 1, 0 for none
	Title        string // the rule that was broken
	Message      string
	Fingerprint  string       // is the same for the same finding when lines move; SARIF's alone
	Steps        []Annotation // the calls that lead there, the outermost first; SARIF's alone
}

// A Rule is what was checked.
type Rule struct {
	ID      string
	What    string // that an annotation of this rule says
	Skipped string // why it was not checked; empty if it was
}

// github writes an error a line, as a workflow command (docs.github.com: workflow commands for GitHub Actions).
func (l Listing) github(b *strings.Builder) {
	for _, a := range l.Annotations {
		b.WriteString("::error ")
		if a.File != "" {
			fmt.Fprintf(b, "file=%s,", property.Replace(a.File))
			if a.Line > 0 {
				fmt.Fprintf(b, "line=%d,", a.Line)
			}
			if a.Column > 0 {
				fmt.Fprintf(b, "col=%d,", a.Column)
			}
		}
		fmt.Fprintf(b, "title=%s::%s\n", property.Replace(a.Title), message.Replace(a.Message))
	}
}

// What the runner decodes (actions/toolkit: core/src/command.ts); and other control characters
// are made harmless, since the log is shown as well.
var (
	message  = escaper{strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")}
	property = escaper{strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")}
)

type escaper struct{ *strings.Replacer }

func (e escaper) Replace(s string) string { return printable(e.Replacer.Replace(s)) }
