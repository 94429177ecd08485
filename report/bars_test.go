package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBars(t *testing.T) {
	l := Listing{Tables: []Table{{Columns: []string{"bytes", "name"}, Bars: true, Rows: [][]any{{2400, "a"}, {1250, "b"}, {1, "c"}, {0, "d"}}}}}
	for columns, want := range map[int]string{
		0: "bytes  name\n2,400  a\n1,250  b\n    1  c\n    0  d\n",
		80: "┌───────┬──────────────────────────┬──────┐\n" +
			"│ bytes │                          │ name │\n" +
			"├───────┼──────────────────────────┼──────┤\n" +
			"│ 2,400 │ ████████████████████████ │ a    │\n" +
			"│ 1,250 │ ████████████▌            │ b    │\n" +
			"│     1 │ ▏                        │ c    │\n" +
			"│     0 │                          │ d    │\n" +
			"└───────┴──────────────────────────┴──────┘\n",
	} {
		var got strings.Builder
		if err := l.Write(&got, TableFormat, columns); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.String()); diff != "" {
			t.Errorf("%d columns (-want +got):\n%s", columns, diff)
		}
	}
}

func TestChange(t *testing.T) {
	for n, want := range map[change]string{1234: "+1,234", -1234: "-1,234", 0: "0"} {
		if got := readable(n); got != want {
			t.Errorf("%d is %q, want %q", int(n), got, want)
		}
	}
}
