package emulator

import (
	"bytes"
	"fmt"
	"io"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// console prints events as fm_nvprint did before 2.1: the class, then each
// pair as " name=value", broken where a piece would reach the last column.
type console struct {
	w       io.Writer
	columns int
	column  int
	line    bytes.Buffer
}

func (c *console) print(raw []byte, columns int) {
	v, err := nvlist.Parse(raw)
	if err != nil {
		return // only a recording can have such an event
	}
	c.columns, c.column = max(columns, 1), 0
	c.line.WriteByte('\n')
	if class, ok := v.Lookup("class", nvlist.String); ok {
		text, _ := class.Bytes()
		c.piece(0, string(text))
	}
	c.pairs(v, 0)
	if c.column != 0 {
		c.line.WriteByte('\n')
	}
	c.line.WriteByte('\n')
	_, _ = c.line.WriteTo(c.w) // as printk, which nobody asks
	c.line.Reset()
}

// piece is fm_printf: one that does not fit starts a line, with a space before
// it if it has none and is not of the top.
func (c *console) piece(depth int, text string) {
	if c.column+len(text) >= c.columns {
		c.line.WriteByte('\n')
		c.column = 0
		if depth > 0 && text[0] != ' ' {
			c.line.WriteByte(' ')
			c.column++
		}
	}
	c.line.WriteString(text)
	c.column = (c.column + len(text)) % c.columns
}

func (c *console) pairs(v nvlist.View, depth int) {
	for p := range v.Pairs() {
		if name := string(p.Name()); name != "class" {
			c.piece(depth, " "+name+"=")
			c.value(p, depth+1)
		}
	}
}

func (c *console) value(p *nvlist.PairView, depth int) {
	switch t := p.Type(); t {
	case nvlist.Boolean:
		c.piece(depth, " 1")
	case nvlist.String:
		text, _ := p.Bytes()
		c.piece(depth, `"`+string(text)+`"`)
	case nvlist.NVList, nvlist.NVListArray:
		c.piece(depth, "[")
		for l := range p.Lists() {
			c.pairs(l, depth)
		}
		c.piece(depth, " ]")
	case nvlist.StringArray, nvlist.BooleanArray, nvlist.ByteArray:
		c.piece(depth, "[...]")
	case nvlist.Double: // of userland only
	default:
		c.numbers(p, depth)
	}
}

// numbers prints a number in its own width, and an array as if each element had
// 64 bits.
func (c *console) numbers(p *nvlist.PairView, depth int) {
	if v, ok := p.Bool(0); ok {
		c.piece(depth, boolText(v))
		return
	}
	if !isArray(p.Type()) {
		c.piece(depth, fmt.Sprintf("%#x", scalar(p)))
		return
	}
	c.piece(depth, "[ ")
	for i := range p.Len() {
		v, ok := p.Uint(i)
		if !ok {
			signed, _ := p.Int(i)
			v = uint64(signed)
		}
		c.piece(depth, fmt.Sprintf("%#x ", v))
	}
	c.piece(depth, "]")
}

func isArray(t nvlist.Type) bool {
	switch t {
	case nvlist.Int8Array, nvlist.Uint8Array, nvlist.Int16Array, nvlist.Uint16Array,
		nvlist.Int32Array, nvlist.Uint32Array, nvlist.Int64Array, nvlist.Uint64Array:
		return true
	}
	return false
}

func scalar(p *nvlist.PairView) uint64 {
	if v, ok := p.Uint(0); ok {
		return v
	}
	v, _ := p.Int(0)
	switch p.Type() {
	case nvlist.Int8:
		return uint64(uint8(v))
	case nvlist.Int16:
		return uint64(uint16(v))
	case nvlist.Int32:
		return uint64(uint32(v))
	}
	return uint64(v)
}

func boolText(v bool) string {
	if v {
		return "1"
	}
	return "0"
}
