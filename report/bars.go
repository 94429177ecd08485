package report

import "strings"

// barWidth is how many characters the longest bar has.
const barWidth = 24

// withBars returns the table with a column of bars after its first, whose numbers they stand for.
func (t Table) withBars() Table {
	most := 0
	for _, row := range t.Rows {
		if n, ok := row[0].(int); ok {
			most = max(most, n)
		}
	}
	drawn := Table{Title: t.Title, Columns: insert(t.Columns, "")}
	for _, row := range t.Rows {
		n, _ := row[0].(int)
		drawn.Rows = append(drawn.Rows, insert(row, any(bar(n, most))))
	}
	return drawn
}

func insert[T any](row []T, second T) []T {
	return append([]T{row[0], second}, row[1:]...)
}

// bar draws n of most in eighths of a character.
func bar(n, most int) string {
	if n <= 0 || most <= 0 {
		return ""
	}
	eighths := max(1, int(float64(n)/float64(most)*barWidth*8))
	text := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		text += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return text
}
