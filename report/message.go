package report

import (
	"fmt"
	"io"
	"strings"
)

// Message prints what a program has to say beside its result, such as an error, which may have
// several lines.
func Message(w io.Writer, program, text string) {
	fmt.Fprintf(w, "%s: %s\n", program, printableLines(text))
}

func printableLines(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	return strings.Join(lines, "\n")
}
