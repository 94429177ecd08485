package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hostile has text that would steer a terminal, break a row, or be taken for markup.
var hostile = Listing{
	Tables: []Table{{
		Title:   "a title\x1b]0;x\a",
		Columns: []string{"bytes", "name"},
		Rows:    [][]any{{18488, "a|b\n`c`\x1b[31m"}, {8, "<i>_d_\u009b \\ \xff"}},
	}},
	Summary: "2\r rows",
	JSON:    map[string]string{"name": "a\x1b\u009b\x7f<\xff"},
	Annotations: []Annotation{
		{File: "a,b:c.c", Line: 3, Column: 1, Title: "too large", Message: "100%\n::error::x\x1b"},
		{Title: "unused", Message: "no place"},
	},
}

func TestFormats(t *testing.T) {
	tests := []struct {
		format  Format
		columns int
		want    string
	}{
		{TableFormat, 0, "a title.]0;x.\n" +
			" bytes  name\n" +
			"18,488  a|b.`c`.[31m\n" +
			"     8  <i>_d_. \\ \ufffd\n" +
			"2. rows\n"},
		{TableFormat, 80, "a title.]0;x.\n" +
			"┌────────┬──────────────┐\n" +
			"│  bytes │ name         │\n" +
			"├────────┼──────────────┤\n" +
			"│ 18,488 │ a|b.`c`.[31m │\n" +
			"│      8 │ <i>_d_. \\ \ufffd  │\n" +
			"└────────┴──────────────┘\n" +
			"2. rows\n"},
		{CSVFormat, 0, "bytes,name\n18488,\"a|b\n`c`\x1b[31m\"\n8,<i>_d_\u009b \\ \xff\n"},
		{CSVFormat, 80, "bytes,name\n18488,a|b.`c`.[31m\n8,<i>_d_. \\ \ufffd\n"},
		{MarkdownFormat, 0, "### a title.\\]0;x.\n\n" +
			"| bytes | name |\n" +
			"| ---: | --- |\n" +
			"| 18,488 | a\\|b.\\`c\\`.\\[31m |\n" +
			"| 8 | &lt;i&gt;\\_d\\_. \\\\ \ufffd |\n" +
			"\n2. rows\n"},
		{JSONFormat, 80, "{\n  \"name\": \"a\\u001b\\u009b\\u007f<\\ufffd\"\n}\n"},
		{GitHubFormat, 0, "::error file=a%2Cb%3Ac.c,line=3,col=1,title=too large::100%25%0A::error::x.\n" +
			"::error title=unused::no place\n"},
	}
	for _, test := range tests {
		var got strings.Builder
		if err := hostile.Write(&got, test.format, test.columns); err != nil {
			t.Errorf("%s: %v", test.format, err)
		}
		if diff := cmp.Diff(test.want, got.String()); diff != "" {
			t.Errorf("%s, %d columns (-want +got):\n%s", test.format, test.columns, diff)
		}
	}
	if err := hostile.Write(new(strings.Builder), "xml", 0); err == nil {
		t.Error("an unknown format passes")
	}
}

// Without rows there is no table, but its heading stays where a program reads it.
func TestFormatsWithoutRows(t *testing.T) {
	empty := Listing{Tables: []Table{{Columns: []string{"a", "b"}}}, Summary: "nothing", JSON: []string{}}
	for format, want := range map[Format]string{
		TableFormat: "nothing\n", CSVFormat: "a,b\n", MarkdownFormat: "\nnothing\n", JSONFormat: "[]\n", GitHubFormat: "",
	} {
		var got strings.Builder
		if err := empty.Write(&got, format, 0); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		if diff := cmp.Diff(want, got.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", format, diff)
		}
	}
}

func TestMessage(t *testing.T) {
	var got strings.Builder
	Message(&got, "kmodaudit", "reading a\x1b.su\nreading b.su")
	if diff := cmp.Diff("kmodaudit: reading a..su\nkmodaudit: reading b.su\n", got.String()); diff != "" {
		t.Errorf("message (-want +got):\n%s", diff)
	}
}

// Columns are as wide as a terminal shows them, and no row ends in spaces.
func TestBareTable(t *testing.T) {
	l := Listing{Tables: []Table{{
		Columns: []string{"a", "n", "change", "last"},
		Rows:    [][]any{{"生命", 1, change(-1234), "x"}, {"é", "", change(5), ""}, {"", 22222, "", "wide"}, {"only", "", "", ""}},
	}}}
	want := "a          n  change  last\n" +
		"生命       1  -1,234  x\n" +
		"é                 +5\n" +
		"      22,222          wide\n" +
		"only\n"
	var got strings.Builder
	if err := l.Write(&got, TableFormat, 0); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
