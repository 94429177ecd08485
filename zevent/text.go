package zevent

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strconv"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// TextFormat prints events as `zpool events` does; see the package comment
// for the releases.
type TextFormat struct {
	Verbose  bool           // -v: every pair, then an empty line
	Scripted bool           // -H: no header, a tab before the class
	Location *time.Location // nil is UTC
	Names    Names          // of the module's release

	// Escaped makes the control characters that a device path or a command may
	// hold harmless for a terminal: ESC is printed as \x1b. zpool prints
	// strings as they are.
	Escaped bool

	// Colored colours what a reader looks for: the class by what kind of event it
	// is, states of a vdev, dropped counts. zpool prints no colours here.
	Colored bool
}

// WriteHeader writes the line of column names, or nothing when Scripted.
func (f TextFormat) WriteHeader(w io.Writer) error {
	if f.Scripted {
		return nil
	}
	line := fmt.Appendf(nil, "%-30s %s", "TIME", "CLASS")
	_, err := w.Write(append(f.appendColored(nil, bold, line), '\n'))
	return err
}

// WriteEvent writes one event in one Write.
func (f TextFormat) WriteEvent(w io.Writer, e Event) error {
	_, err := w.Write(f.AppendEvent(nil, e))
	return err
}

// AppendDropped appends the line that stands before an event with a dropped
// count. zpool prints it also when it then leaves the event out.
func (f TextFormat) AppendDropped(b []byte, dropped uint64) []byte {
	if dropped == 0 {
		return b
	}
	line := strconv.AppendUint(append(make([]byte, 0, 40), "dropped "...), dropped, 10)
	return append(f.appendColored(b, red, append(line, " events"...)), '\n')
}

// AppendEvent appends one event as AppendView does: that of Raw, or for an Event
// without Raw that of Pairs.
func (f TextFormat) AppendEvent(b []byte, e Event) []byte { return f.AppendView(b, e.view()) }

// AppendView appends one event, with the line of AppendDropped before it.
func (f TextFormat) AppendView(b []byte, v View) []byte {
	b = f.AppendDropped(b, v.Dropped)
	b = f.appendTime(b, v.Time)
	separator := byte(' ')
	if f.Scripted {
		separator = '\t'
	}
	b = append(b, separator)
	b = f.appendColored(b, classColor(v.Class), v.Class)
	b = append(b, '\n')
	if f.Verbose {
		b = f.appendPairs(b, v.Pairs, verboseIndent)
		b = append(b, '\n')
	}
	return b
}

// appendTime appends the 30 columns of ctime_r with nanoseconds behind the
// seconds, in a third of the time of [time.Time.AppendFormat].
func (f *TextFormat) appendTime(b []byte, t time.Time) []byte {
	loc := f.Location
	if loc == nil {
		loc = time.UTC
	}
	t = t.In(loc)
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = append(append(b, month.String()[:3]...), ' ')
	b = append(appendDigits(b, day, 2, ' '), ' ')
	b = append(appendDigits(b, year, 4, '0'), ' ')
	b = append(appendDigits(b, hour, 2, '0'), ':')
	b = append(appendDigits(b, minute, 2, '0'), ':')
	b = append(appendDigits(b, second, 2, '0'), '.')
	return appendDigits(b, t.Nanosecond(), 9, '0')
}

// appendDigits appends a number in at least so many columns.
func appendDigits(b []byte, n, columns int, pad byte) []byte {
	var digits [20]byte
	text := strconv.AppendInt(digits[:0], int64(n), 10)
	for range columns - len(text) {
		b = append(b, pad)
	}
	return append(b, text...)
}

func (f *TextFormat) appendString(b, s []byte) []byte {
	if f.Escaped {
		return appendEscaped(b, s)
	}
	return append(b, s...)
}

// verboseIndent is how many columns zpool indents, and a level of embedding
// adds.
const verboseIndent = 8

func (f *TextFormat) appendPairs(b []byte, list nvlist.View, indent int) []byte {
	for p := range list.Pairs() {
		name := p.Name()
		b = f.appendName(b, name, indent)
		switch p.Type() {
		case nvlist.NVList:
			b = append(b, " = (embedded nvlist)\n"...)
			child, _ := p.List()
			b = f.appendPairs(b, child, indent+verboseIndent)
			b = f.appendEnd(b, name, "", indent)
		case nvlist.NVListArray:
			b = f.appendLists(b, p, name, indent)
		default:
			b = append(b, " = "...)
			b = f.appendValue(b, p, name)
			b = append(b, '\n')
		}
	}
	return b
}

func (f *TextFormat) appendLists(b []byte, p *nvlist.PairView, name []byte, indent int) []byte {
	b = fmt.Appendf(b, " = (%d embedded nvlists)\n", p.Len())
	i := 0
	for child := range p.Lists() {
		index := "[" + strconv.Itoa(i) + "]"
		b = append(f.appendName(b, name, indent), index...)
		b = append(b, " = (embedded nvlist)\n"...)
		b = f.appendPairs(b, child, indent+verboseIndent)
		b = f.appendEnd(b, name, index, indent)
		i++
	}
	b = f.appendEnd(b, name, "", indent)
	return append(b, '\n')
}

func (f *TextFormat) appendName(b, name []byte, indent int) []byte {
	return f.appendString(appendMargin(b, indent), name)
}

func (f *TextFormat) appendEnd(b, name []byte, index string, indent int) []byte {
	b = append(appendMargin(b, indent), "(end "...)
	b = append(f.appendString(b, name), index...)
	return append(b, ")\n"...)
}

func appendMargin(b []byte, indent int) []byte {
	for ; indent > 0; indent -= verboseIndent {
		b = append(b, "        "...)
	}
	return b
}

// appendValue prints a value at the width of its type, so that int8 -1 is
// 0xff; but elements of int8 and int16 arrays widened to 32 bits, as zpool's
// printf arguments are.
func (f *TextFormat) appendValue(b []byte, p *nvlist.PairView, name []byte) []byte {
	switch p.Type() {
	case nvlist.Boolean:
		return append(b, '1')
	case nvlist.BooleanValue:
		if v, _ := p.Bool(0); v {
			return append(b, '1')
		}
		return append(b, '0')
	case nvlist.Byte, nvlist.Uint8, nvlist.Uint16:
		v, _ := p.Uint(0)
		return appendHex(b, v)
	case nvlist.Uint32:
		v, _ := p.Uint(0)
		return f.Names.append32(appendHex(b, v), name, uint32(v))
	case nvlist.Uint64:
		v, _ := p.Uint(0)
		return f.appendUint64(b, name, v)
	case nvlist.Int8:
		return appendInt(b, p, math.MaxUint8)
	case nvlist.Int16:
		return appendInt(b, p, math.MaxUint16)
	case nvlist.Int32:
		return appendInt(b, p, math.MaxUint32)
	case nvlist.Int64, nvlist.HRTime:
		return appendInt(b, p, math.MaxUint64)
	case nvlist.String:
		v, _ := p.Bytes()
		return f.appendQuoted(b, v)
	}
	return f.appendArray(b, p)
}

func (f *TextFormat) appendUint64(b, name []byte, v uint64) []byte {
	switch string(name) {
	case "vdev_state", "vdev_laststate":
		state := vdevState(v)
		b = append(b, '"')
		b = append(f.appendColored(b, stateColor(v), []byte(state)), "\" ("...)
		return append(appendHex(b, v), ')')
	case "zio_flags":
		return appendBits(appendHex(b, v), f.Names.flags, v)
	}
	return appendHex(b, v)
}

func (f *TextFormat) appendArray(b []byte, p *nvlist.PairView) []byte {
	switch p.Type() {
	case nvlist.StringArray:
		for s := range p.Strings() {
			b = append(f.appendQuoted(b, s), ' ')
		}
		return b
	case nvlist.Uint8Array, nvlist.Uint16Array, nvlist.Uint32Array, nvlist.Uint64Array:
		for i := range p.Len() {
			v, _ := p.Uint(i)
			b = append(appendHex(b, v), ' ')
		}
		return b
	case nvlist.Int8Array, nvlist.Int16Array, nvlist.Int32Array:
		return appendInts(b, p, math.MaxUint32)
	case nvlist.Int64Array:
		return appendInts(b, p, math.MaxUint64)
	}
	return append(b, "<unknown>"...) // BYTE_ARRAY, BOOLEAN_ARRAY and DOUBLE
}

func (f *TextFormat) appendQuoted(b, s []byte) []byte {
	return append(f.appendString(append(b, '"'), s), '"')
}

// appendInt prints the bits of the value that the mask has.
func appendInt(b []byte, p *nvlist.PairView, mask uint64) []byte {
	v, _ := p.Int(0)
	return appendHex(b, uint64(v)&mask)
}

func appendInts(b []byte, p *nvlist.PairView, mask uint64) []byte {
	for i := range p.Len() {
		v, _ := p.Int(i)
		b = append(appendHex(b, uint64(v)&mask), ' ')
	}
	return b
}

// appendHex does what [strconv.AppendUint] does to the base 16, eight digits at once: most of what is printed are such numbers.
func appendHex(b []byte, v uint64) []byte {
	n := max(1, (bits.Len64(v)+3)/4)
	v <<= 64 - 4*n // the first digit comes first
	b = append(b, "0x"...)
	b = binary.BigEndian.AppendUint64(b, eightHexDigits(uint32(v>>32)))
	if n <= 8 {
		return b[:len(b)-8+n]
	}
	b = binary.BigEndian.AppendUint64(b, eightHexDigits(uint32(v)))
	return b[:len(b)-16+n]
}

// eightHexDigits is the text of a number, its first digit in the highest byte.
func eightHexDigits(v uint32) uint64 {
	const each = 0x0101010101010101
	d := uint64(v)
	d = (d | d<<16) & 0x0000ffff0000ffff
	d = (d | d<<8) & 0x00ff00ff00ff00ff
	d = (d | d<<4) & 0x0f0f0f0f0f0f0f0f
	letters := (d + 6*each) >> 4 & each // 1 where a digit is above 9
	return d + '0'*each + ('a'-'0'-10)*letters
}

// vdevState is what zpool calls a vdev_state_t without a reason beside it.
func vdevState(state uint64) string {
	names := [...]string{1: "OFFLINE", 2: "OFFLINE", 3: "REMOVED", 4: "UNAVAIL", 5: "FAULTED", 6: "DEGRADED", 7: "ONLINE"}
	if state == 0 || state >= uint64(len(names)) {
		return "UNKNOWN"
	}
	return names[state]
}
