package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Format is how a listing is written.
type Format string

// The formats. A listing has not all of them.
const (
	TableFormat    Format = "table"    // for people; the only one with a summary
	JSONFormat     Format = "json"     // everything that is known
	CSVFormat      Format = "csv"      // RFC 4180, one heading line, numbers without separators
	MarkdownFormat Format = "markdown" // for the summary of a CI job
	GitHubFormat   Format = "github"   // annotations, workflow commands of GitHub Actions
)

// A Listing is a finished result in the shapes that the formats need.
type Listing struct {
	Tables      []Table
	Summary     string       // a line for people; empty for none
	JSON        any          // what JSON has in place of the tables
	Annotations []Annotation // what GitHub's has in place of them
}

// A Table is rows below a heading. Text in it may be hostile: each format makes it harmless.
type Table struct {
	Title   string // empty for none
	Columns []string
	Rows    [][]any // each a string or an int for each column
}

// Write writes a listing to a terminal of that many columns, or 0 for no terminal.
func (l Listing) Write(w io.Writer, f Format, columns int) error {
	var b strings.Builder
	var err error
	switch f {
	case TableFormat:
		l.table(&b, columns > 0)
	case JSONFormat:
		err = writeJSON(&b, l.JSON)
	case CSVFormat:
		err = l.csv(&b, columns > 0)
	case MarkdownFormat:
		l.markdown(&b)
	case GitHubFormat:
		l.github(&b)
	default:
		err = fmt.Errorf("there is no format %q", f)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// isNumeric says whether a column has nothing but numbers, and at least one.
func (t Table) isNumeric(column int) bool {
	return len(t.Rows) > 0 && !slices.ContainsFunc(t.Rows, func(row []any) bool {
		_, ok := row[column].(int)
		return !ok
	})
}

// position writes file:line:column, as far as it is known.
func position(file string, line, column int) string {
	var b strings.Builder
	b.WriteString(file)
	for _, n := range []int{line, column} {
		if n > 0 {
			fmt.Fprintf(&b, ":%d", n)
		}
	}
	return b.String()
}
