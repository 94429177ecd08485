package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
)

// Measures of the drawing, in pixels.
const (
	icicleWidth   = 1200
	axisWidth     = 76
	marginWidth   = 12
	headingHeight = 74
	footHeight    = 64
	bytesPerPixel = 8 // 16 KiB are 2,048 pixels, and a frame of 96 bytes has room for its name
	maxHeight     = 8192
	fontSize      = 11
	characterSize = 6.62 // width, in a monospaced font of that size
	lineHeight    = 12.0
	minTextHeight = 10.0
	loneWidth     = 460 // of the column of a lone path, whose labels stand beside it
)

// WriteIcicle draws paths as SVG, which any browser shows without a script or a network: the stack from top to bottom at a scale
// of bytes, with a line at its end, which is at limitBytes; a column for each path, the deepest first, in which each step is a box
// as high as its bytes. Paths that begin with the same calls share boxes. The title of a box, which browsers show beside the
// pointer, has its name in full, its bytes and its places; the steps of a lone path are written out beside it. The same paths
// give the same text.
func WriteIcicle(w io.Writer, title string, paths []callgraph.Path, limitBytes int) error {
	return writeIcicle(w, title, deepestFirst(paths), limitBytes)
}

func writeIcicle(w io.Writer, title string, paths []drawn, limitBytes int) error {
	l := layIcicle(paths)
	d := drawing{icicle: l, limit: limitBytes, depth: max(l.bytes, limitBytes), scale: bytesPerPixel}
	for d.depth/d.scale > maxHeight { // of a path that no stack has room for
		d.scale *= 2
	}
	d.draw(title)
	_, err := io.WriteString(w, d.b.String())
	return err
}

type drawing struct {
	icicle
	b     strings.Builder
	limit int // bytes
	depth int // bytes of the whole drawing
	scale int // bytes of a pixel
}

func (d *drawing) printf(format string, arguments ...any) { fmt.Fprintf(&d.b, format, arguments...) }

// y returns where a depth is.
func (d *drawing) y(bytes int) float64 { return headingHeight + d.height(bytes) }

func (d *drawing) height(bytes int) float64 { return float64(bytes) / float64(d.scale) }

// x returns where a column begins.
func (d *drawing) x(column int) float64 {
	if d.columns == 1 {
		return axisWidth + float64(column)*loneWidth
	}
	return axisWidth + float64(column)*(icicleWidth-axisWidth-marginWidth)/float64(max(d.columns, 1))
}

func (d *drawing) draw(title string) {
	height := int(d.y(d.depth)) + footHeight
	d.printf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"%d\">\n",
		icicleWidth, height, icicleWidth, height, fontSize)
	d.printf("<title>%s</title>\n", escaped(title))
	d.b.WriteString(icicleStyle)
	d.printf("<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", icicleWidth, height)
	d.heading(title)
	d.axis()
	for _, b := range d.boxes {
		d.box(b)
	}
	if d.columns == 1 {
		d.labelsBeside()
	} else {
		for _, b := range d.boxes {
			d.labelInside(b)
		}
	}
	for _, e := range d.ends {
		d.end(e)
	}
	d.limitLine()
	d.b.WriteString("</svg>\n")
}

// Colours are of light and of dark paper. Those of boxes are of one lightness, so that none stands out; text on them has a
// contrast of 7 or more.
const icicleStyle = `<style>
.paper{fill:#fff} text{fill:#1c1c1c} .big{font-size:16px;font-weight:bold} .faint{fill:#5b5b5b} .grid{stroke:#e3e3e3}
.box{stroke:#fff;stroke-width:.6} .cycle{stroke:#1c1c1c;stroke-width:1.2;stroke-dasharray:4 2} .limit{stroke:#c1121f;stroke-width:2} .limitText{fill:#c1121f;font-weight:bold;paint-order:stroke;stroke:#fff;stroke-width:4px}
.in{pointer-events:none} text{white-space:pre} .leader{fill:none;stroke:#5b5b5b;stroke-width:.7}
.r0{fill:#f6c9a8}.r1{fill:#bcd9f2}.r2{fill:#cde6b8}.r3{fill:#ecc6df}.r4{fill:#f2e2a0}.r5{fill:#c5cbf0}.r6{fill:#b9e3dc}.r7{fill:#d9d9d9}
.box:hover{stroke:#000;stroke-width:1.5}
@media (prefers-color-scheme:dark){
.paper{fill:#16181d} text{fill:#f0f0f0} .faint{fill:#a9a9a9} .grid{stroke:#2c2f36}
.box{stroke:#16181d} .cycle{stroke:#f0f0f0} .limit{stroke:#ff6b6b} .limitText{fill:#ff6b6b;stroke:#16181d} .leader{stroke:#a9a9a9}
.r0{fill:#7a4216}.r1{fill:#1e4f78}.r2{fill:#3c5f22}.r3{fill:#6f3560}.r4{fill:#645310}.r5{fill:#3f478a}.r6{fill:#1d5f55}.r7{fill:#4a4a4a}
.box:hover{stroke:#fff}
}
</style>
`

func (d *drawing) heading(title string) {
	d.text("big", marginWidth, 24, fit(title, icicleWidth-2*marginWidth, 16))
	d.text("faint", marginWidth, 43, "Down: bytes of stack. Across: a path of calls a column. Dashed: recursion, charged one turn. ≥: it can get deeper.")
	x := float64(marginWidth)
	for i, name := range d.rooms {
		label := fit(name, 260, fontSize)
		d.printf("<rect class=\"r%d\" x=\"%.1f\" y=\"53\" width=\"10\" height=\"10\"/>\n", i, x)
		d.text("faint", x+14, 62, label)
		x += 14 + float64(utf8.RuneCountInString(label))*characterSize + 16
	}
}

func (d *drawing) axis() {
	const kibibyte = 1 << 10
	for depth := 0; depth <= d.depth; depth += kibibyte / bytesPerPixel * d.scale {
		d.printf("<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n", axisWidth-6, icicleWidth-marginWidth, d.y(depth), d.y(depth))
		d.text("faint", marginWidth, d.y(depth)+4, fmt.Sprintf("%2d KiB", depth/kibibyte))
	}
}

func (d *drawing) limitLine() {
	y := d.y(d.limit)
	d.printf("<line class=\"limit\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n", axisWidth-6, icicleWidth-marginWidth, y, y)
	d.printf("<text class=\"limitText\" text-anchor=\"end\" x=\"%d\" y=\"%.1f\">the end of the stack, %s</text>\n", icicleWidth-marginWidth, y+16, bytes(d.limit))
}

func (d *drawing) box(b box) {
	height := d.height(b.step.Bytes)
	x, width := d.x(b.first), d.x(b.end)-d.x(b.first)
	class := "box"
	if len(b.step.Cycle) > 0 {
		class = "box cycle"
	}
	d.printf("<g><title>%s</title><rect class=\"%s r%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
		escaped(d.describe(b)), class, b.room, x, d.y(b.top), width, height)
	d.b.WriteString("</g>\n")
}

// labelInside writes a box's function, and its bytes behind it or below, as far as there is room.
func (d *drawing) labelInside(b box) {
	height, width := d.height(b.step.Bytes), d.x(b.end)-d.x(b.first)-6
	if height < minTextHeight {
		return
	}
	name, size := stepLabel(b.step), bytes(b.step.Bytes)
	y := d.y(b.top) + height/2 + 4
	switch {
	case fits(name+" "+size, width):
		name += " " + size
	case height >= 2*lineHeight+4:
		d.text("in", d.x(b.first)+3, y+lineHeight/2+1, fit(size, width, fontSize))
		y -= lineHeight / 2
	}
	d.text("in", d.x(b.first)+3, y, fit(name, width, fontSize))
}

// labelsBeside writes the bytes and the function of each box to its right, below each other where boxes are too low.
func (d *drawing) labelsBeside() {
	free := float64(headingHeight) // from there on
	x := d.x(1)
	for _, b := range d.boxes {
		middle := d.y(b.top) + d.height(b.step.Bytes)/2
		y := max(middle, free+lineHeight/2)
		free = y + lineHeight/2
		d.printf("<path class=\"leader\" d=\"M%.1f %.1fh6L%.1f %.1fh6\"/>\n", x+1, middle, x+24, y)
		label := fmt.Sprintf("%7s  %s", bytes(b.step.Bytes), stepLabel(b.step))
		d.text("", x+34, y+4, fit(label, icicleWidth-marginWidth-x-34, fontSize))
	}
}

func stepLabel(s callgraph.Step) string {
	if n := len(s.Cycle); n > 1 {
		return fmt.Sprintf("%s (cycle of %d)", s.Frame.Function, n)
	}
	return s.Frame.Function
}

// describe is the title of a box.
func (d *drawing) describe(b box) string {
	s := b.step
	lines := []string{
		stepName(s),
		fmt.Sprintf("%s, from %s to %s", bytes(s.Bytes), grouped(b.top), grouped(b.top+s.Bytes)),
	}
	if s.Frame.File != "" {
		lines = append(lines, position(s.Frame.File, s.Frame.Line, s.Frame.Column))
	}
	if s.Site.File != "" {
		lines = append(lines, "called at "+site(s))
	}
	if len(s.Cycle) > 1 {
		const some = 8
		var members []string
		for _, m := range s.Cycle[:min(some, len(s.Cycle))] {
			members = append(members, m.Function+" "+grouped(m.Bytes))
		}
		if more := len(s.Cycle) - some; more > 0 {
			members = append(members, fmt.Sprintf("%d others", more))
		}
		lines = append(lines, strings.Join(members, ", "))
	}
	return strings.Join(lines, "\n")
}

// end writes the sum of a path below it, and the verdict into its title.
func (d *drawing) end(e pathEnd) {
	sum := bytes(e.Bytes)
	if !e.Verdict.Exact() {
		sum = "≥ " + sum
	}
	x, width := d.x(e.column), d.x(e.column+1)-d.x(e.column)
	d.printf("<g><title>%s</title>", escaped(strings.TrimSpace(e.caption+"\n"+bytes(e.Bytes)+" "+ends(e.Path)+"\n"+e.Verdict.String())))
	d.text("", x+3, d.y(e.Bytes)+13, fit(sum, width-3, fontSize))
	for i, line := range wrapped(e.caption, width-3) {
		d.text("faint", x+3, d.y(e.Bytes)+13+lineHeight*float64(i+1), line)
	}
	d.b.WriteString("</g>\n")
}

func (d *drawing) text(class string, x, y float64, text string) {
	if text == "" {
		return
	}
	if class != "" {
		class = fmt.Sprintf(" class=%q", class)
	}
	d.printf("<text%s x=\"%.1f\" y=\"%.1f\">%s</text>\n", class, x, y, escaped(text))
}

// wrapped breaks a text at its spaces into lines of a width.
func wrapped(text string, width float64) []string {
	var lines []string
	for _, word := range strings.Fields(text) {
		if n := len(lines) - 1; n >= 0 && fits(lines[n]+" "+word, width) {
			lines[n] += " " + word
			continue
		}
		lines = append(lines, fit(word, width, fontSize))
	}
	return lines
}

func fits(text string, width float64) bool { return fit(text, width, fontSize) == text }

// fit cuts a text to a width in pixels, in a monospaced font of that size.
func fit(text string, width float64, size int) string {
	most := int(width / (characterSize * float64(size) / fontSize))
	runes := []rune(text)
	switch {
	case len(runes) <= most:
		return text
	case most < 4:
		return ""
	}
	return string(runes[:most-1]) + "…"
}

// escaped is a text in XML. What XML cannot have becomes U+FFFD.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes all
	return b.String()
}
