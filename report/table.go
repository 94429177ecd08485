package report

import (
	"bufio"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/kmodaudit/kmodaudit/ascii"
)

// table writes a listing for people: with lines on a terminal, and in bare columns elsewhere.
func (l Listing) table(to io.Writer, terminal bool) error {
	w := bufio.NewWriterSize(to, 64<<10)
	for i, t := range l.Tables {
		if i > 0 {
			w.WriteString("\n")
		}
		if t.Title != "" {
			w.WriteString(printable(t.Title) + "\n")
		}
		switch {
		case len(t.Rows) == 0:
		case terminal:
			w.WriteString(t.lined() + "\n")
		default:
			t.bare(w)
		}
	}
	if l.Summary != "" {
		w.WriteString(printable(l.Summary) + "\n")
	}
	return w.Flush()
}

func (t Table) lined() string {
	if t.Bars {
		t = t.withBars()
	}
	w := table.NewWriter()
	w.SetStyle(lines)
	var heading table.Row
	var configs []table.ColumnConfig
	for i, name := range t.Columns {
		heading = append(heading, name)
		if t.isNumeric(i) {
			configs = append(configs, table.ColumnConfig{Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
		}
	}
	w.AppendHeader(heading)
	w.SetColumnConfigs(configs)
	for _, row := range t.Rows {
		var cells table.Row
		for _, cell := range row {
			cells = append(cells, readable(cell))
		}
		w.AppendRow(cells)
	}
	return w.Render()
}

// bare writes the columns of a table side by side, row by row: a program may read a hundred thousand of them.
func (t Table) bare(w *bufio.Writer) {
	last := len(t.Columns) - 1
	columns := make([]column, len(t.Columns))
	for i, name := range t.Columns {
		c := &columns[i]
		c.right = t.isNumeric(i)
		if c.width = widthOf(name); i == last && !c.right { // nothing comes behind it
			continue
		}
		for _, row := range t.Rows {
			c.width = max(c.width, widthOf(readable(row[i])))
		}
	}
	gap := 0
	for i, name := range t.Columns {
		gap = columns[i].write(w, name, gap)
	}
	w.WriteByte('\n')
	for _, row := range t.Rows {
		gap = 0
		for i, cell := range row {
			gap = columns[i].write(w, readable(cell), gap)
		}
		w.WriteByte('\n')
	}
}

// A column of a bare table.
type column struct {
	width int  // in cells of a terminal
	right bool // its text ends where the column does
}

// write writes a cell behind a gap of so many spaces, and returns the gap behind it: what is empty to its end has no spaces.
func (c column) write(w *bufio.Writer, cell string, gap int) int {
	const between = 2
	if cell == "" {
		return gap + c.width + between
	}
	pad := max(0, c.width-widthOf(cell))
	if c.right {
		gap, pad = gap+pad, 0
	}
	writeSpaces(w, gap)
	w.WriteString(cell)
	return pad + between
}

// widthOf is how many cells of a terminal a text takes; there is no escape sequence in it.
func widthOf(s string) int {
	if ascii.IsPrintString(s) {
		return len(s)
	}
	return text.StringWidthWithoutEscSequences(s)
}

func writeSpaces(w *bufio.Writer, n int) {
	for range n {
		w.WriteByte(' ')
	}
}

// readable is a cell for people.
func readable(cell any) string {
	switch cell := cell.(type) {
	case int:
		return grouped(cell)
	case change:
		if cell > 0 {
			return "+" + grouped(int(cell))
		}
		return grouped(int(cell))
	case string:
		return printable(cell)
	}
	return ""
}

var lines = lineStyle()

func lineStyle() table.Style {
	s := table.StyleLight
	s.Format = table.FormatOptions{}
	return s
}
