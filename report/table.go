package report

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// table writes a listing for people: with lines on a terminal, and in bare columns elsewhere.
func (l Listing) table(b *strings.Builder, terminal bool) {
	for i, t := range l.Tables {
		if i > 0 {
			b.WriteString("\n")
		}
		if t.Title != "" {
			b.WriteString(printable(t.Title) + "\n")
		}
		if len(t.Rows) > 0 {
			b.WriteString(t.draw(terminal) + "\n")
		}
	}
	if l.Summary != "" {
		b.WriteString(printable(l.Summary) + "\n")
	}
}

func (t Table) draw(terminal bool) string {
	if t.Bars && terminal {
		t = t.withBars()
	}
	w := table.NewWriter()
	w.SetStyle(bare)
	if terminal {
		w.SetStyle(lined)
	}
	w.SuppressTrailingSpaces()
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

var bare, lined = bareStyle(), linedStyle()

func bareStyle() table.Style {
	s := table.StyleDefault
	s.Box = table.BoxStyle{PaddingRight: "  "}
	s.Format = table.FormatOptions{}
	s.Options = table.OptionsNoBordersAndSeparators
	return s
}

func linedStyle() table.Style {
	s := table.StyleLight
	s.Format = table.FormatOptions{}
	return s
}
