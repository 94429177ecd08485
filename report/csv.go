package report

import (
	"encoding/csv"
	"fmt"
	"strings"
)

// csv writes the rows of all tables, which have the same columns. Text is exact, save on a terminal.
func (l Listing) csv(b *strings.Builder, terminal bool) error {
	w := csv.NewWriter(b)
	for i, t := range l.Tables {
		if i == 0 {
			if err := w.Write(t.Columns); err != nil {
				return err
			}
		}
		for _, row := range t.Rows {
			var record []string
			for _, cell := range row {
				text := fmt.Sprint(cell)
				if terminal {
					text = printable(text)
				}
				record = append(record, text)
			}
			if err := w.Write(record); err != nil {
				return err
			}
		}
	}
	w.Flush()
	return w.Error()
}
