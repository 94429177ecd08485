package report

import (
	"fmt"
	"io"
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
	SARIFFormat    Format = "sarif"    // annotations, for code scanning
	JUnitFormat    Format = "junit"    // annotations by rule, for the test view of a CI
)

// A Listing is a finished result in the shapes that the formats need.
type Listing struct {
	Tables      []Table
	Summary     string       // a line for people; empty for none
	JSON        any          // what JSON has in place of the tables
	Annotations []Annotation // what GitHub's, SARIF and JUnit have in place of them
	Rules       []Rule       // that the titles of annotations name, for SARIF and JUnit
	Suite       string       // what was checked, for JUnit
}

// A Table is rows below a heading. Text in it may be hostile: each format makes it harmless.
type Table struct {
	Title   string // empty for none
	Columns []string
	Rows    [][]any // each a string, an int or a change for each column
	Bars    bool    // the first column's numbers are drawn as bars too, on a terminal
}

// A change is a number that is shown with its sign.
type change int

// Write writes a listing to a terminal of that many columns, or 0 for no terminal.
func (l Listing) Write(w io.Writer, f Format, columns int) error {
	if f == TableFormat {
		return l.table(w, columns > 0)
	}
	var b strings.Builder
	var err error
	switch f {
	case JSONFormat:
		err = writeJSON(&b, l.JSON)
	case CSVFormat:
		err = l.csv(&b, columns > 0)
	case MarkdownFormat:
		l.markdown(&b)
	case GitHubFormat:
		l.github(&b)
	case SARIFFormat:
		err = l.sarif(&b)
	case JUnitFormat:
		err = l.junit(&b)
	default:
		err = fmt.Errorf("there is no format %q", f)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// isNumeric says whether a column has nothing but numbers and empty cells, and at least one number.
func (t Table) isNumeric(column int) bool {
	numbers := 0
	for _, row := range t.Rows {
		switch cell := row[column].(type) {
		case int, change:
			numbers++
		case string:
			if cell != "" {
				return false
			}
		}
	}
	return numbers > 0
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
