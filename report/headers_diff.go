package report

import "strings"

// Terminal returns text with its lines and tabs, and without anything else that could control a terminal.
func Terminal(text string) string {
	columns := strings.Split(text, "\t")
	for i, column := range columns {
		columns[i] = printableLines(column)
	}
	return strings.Join(columns, "\t")
}
