package report

import (
	"strings"
)

// markdown writes tables in the dialect of GitHub, in which a pipe in a cell needs a backslash.
func (l Listing) markdown(b *strings.Builder) {
	for i, t := range l.Tables {
		if i > 0 {
			b.WriteString("\n")
		}
		if t.Title != "" {
			b.WriteString("### " + plain(t.Title) + "\n\n")
		}
		if len(t.Rows) > 0 {
			t.markdown(b)
		}
	}
	if l.Summary != "" {
		b.WriteString("\n" + plain(l.Summary) + "\n")
	}
}

func (t Table) markdown(b *strings.Builder) {
	b.WriteString("|")
	for _, name := range t.Columns {
		b.WriteString(" " + plain(name) + " |")
	}
	b.WriteString("\n|")
	for i := range t.Columns {
		if t.isNumeric(i) {
			b.WriteString(" ---: |")
		} else {
			b.WriteString(" --- |")
		}
	}
	b.WriteString("\n")
	for _, row := range t.Rows {
		b.WriteString("|")
		for _, cell := range row {
			b.WriteString(" " + plain(readable(cell)) + " |")
		}
		b.WriteString("\n")
	}
}

// plain keeps Markdown from taking text for anything but text.
func plain(s string) string { return escapes.Replace(printable(s)) }

var escapes = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "#", `\#`, "~", `\~`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "@", "&#64;",
)
