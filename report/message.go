package report

import (
	"fmt"
	"io"
	"strings"
)

// Message prints what a program has to say beside its result, such as an error, which may have
// several lines.
func Message(w io.Writer, program, text string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = printable(line)
	}
	fmt.Fprintf(w, "%s: %s\n", program, strings.Join(lines, "\n"))
}
