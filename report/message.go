package report

import (
	"fmt"
	"io"
	"strings"
)

// Message prints what a program has to say beside its result, such as an error. It may have several lines, each of which
// tells whose it is, as a line is searched for in the log of a CI.
func Message(w io.Writer, program, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(w, "%s: %s\n", program, printable(line))
	}
}

func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}
