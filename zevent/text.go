package zevent

import (
	"fmt"
	"io"
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
}

// WriteHeader writes the line of column names, or nothing when Scripted.
func (f TextFormat) WriteHeader(w io.Writer) error {
	if f.Scripted {
		return nil
	}
	_, err := fmt.Fprintf(w, "%-30s %s\n", "TIME", "CLASS")
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
	b = append(b, "dropped "...)
	b = strconv.AppendUint(b, dropped, 10)
	return append(b, " events\n"...)
}

// AppendEvent appends one event, with the line of AppendDropped before it.
func (f TextFormat) AppendEvent(b []byte, e Event) []byte {
	b = f.AppendDropped(b, e.Dropped)
	b = f.appendTime(b, e.Time)
	separator := byte(' ')
	if f.Scripted {
		separator = '\t'
	}
	b = append(b, separator)
	b = f.appendString(b, e.Class)
	b = append(b, '\n')
	if f.Verbose {
		b = f.appendPairs(b, e.Pairs.Pairs, verboseIndent)
		b = append(b, '\n')
	}
	return b
}

// appendTime appends the 30 columns of ctime_r with nanoseconds behind the seconds.
func (f TextFormat) appendTime(b []byte, t time.Time) []byte {
	loc := f.Location
	if loc == nil {
		loc = time.UTC
	}
	return t.In(loc).AppendFormat(b, "Jan _2 2006 15:04:05.000000000")
}

func (f TextFormat) appendString(b []byte, s string) []byte {
	if f.Escaped {
		return appendEscaped(b, s)
	}
	return append(b, s...)
}

// verboseIndent is how many columns zpool indents, and a level of embedding
// adds.
const verboseIndent = 8

func (f TextFormat) appendPairs(b []byte, pairs []nvlist.Pair, indent int) []byte {
	for _, p := range pairs {
		b = f.appendName(b, p.Name, indent)
		switch v := p.Value.(type) {
		case nvlist.List:
			b = append(b, " = (embedded nvlist)\n"...)
			b = f.appendPairs(b, v.Pairs, indent+verboseIndent)
			b = f.appendEnd(b, p.Name, "", indent)
		case []nvlist.List:
			b = f.appendLists(b, p.Name, v, indent)
		default:
			b = append(b, " = "...)
			b = f.appendValue(b, p)
			b = append(b, '\n')
		}
	}
	return b
}

func (f TextFormat) appendLists(b []byte, name string, lists []nvlist.List, indent int) []byte {
	b = fmt.Appendf(b, " = (%d embedded nvlists)\n", len(lists))
	for i, l := range lists {
		index := "[" + strconv.Itoa(i) + "]"
		b = append(f.appendName(b, name, indent), index...)
		b = append(b, " = (embedded nvlist)\n"...)
		b = f.appendPairs(b, l.Pairs, indent+verboseIndent)
		b = f.appendEnd(b, name, index, indent)
	}
	b = f.appendEnd(b, name, "", indent)
	return append(b, '\n')
}

func (f TextFormat) appendName(b []byte, name string, indent int) []byte {
	return f.appendString(appendMargin(b, indent), name)
}

func (f TextFormat) appendEnd(b []byte, name, index string, indent int) []byte {
	b = append(appendMargin(b, indent), "(end "...)
	b = append(f.appendString(b, name), index...)
	return append(b, ")\n"...)
}

func appendMargin(b []byte, indent int) []byte {
	for range indent {
		b = append(b, ' ')
	}
	return b
}

// appendValue prints a value at the width of its type, so that int8 -1 is
// 0xff; but elements of int8 and int16 arrays widened to 32 bits, as zpool's
// printf arguments are.
func (f TextFormat) appendValue(b []byte, p nvlist.Pair) []byte {
	switch v := p.Value.(type) {
	case nil:
		return append(b, '1')
	case bool:
		if v {
			return append(b, '1')
		}
		return append(b, '0')
	case uint8:
		return appendHex(b, uint64(v))
	case uint16:
		return appendHex(b, uint64(v))
	case uint32:
		return f.Names.append32(appendHex(b, uint64(v)), p.Name, v)
	case int8:
		return appendHex(b, uint64(uint8(v)))
	case int16:
		return appendHex(b, uint64(uint16(v)))
	case int32:
		return appendHex(b, uint64(uint32(v)))
	case int64:
		return appendHex(b, uint64(v))
	case uint64:
		if p.Name == "vdev_state" || p.Name == "vdev_laststate" {
			b = append(f.appendQuoted(b, vdevState(v)), " ("...)
			return append(appendHex(b, v), ')')
		}
		return f.Names.append64(appendHex(b, v), p.Name, v)
	case string:
		return f.appendQuoted(b, v)
	}
	return f.appendArray(b, p)
}

func (f TextFormat) appendArray(b []byte, p nvlist.Pair) []byte {
	switch v := p.Value.(type) {
	case []string:
		for _, s := range v {
			b = append(f.appendQuoted(b, s), ' ')
		}
		return b
	case []uint8:
		if p.Type == nvlist.Uint8Array {
			return appendEach(b, v, same)
		}
	case []int8:
		return appendEach(b, v, widen)
	case []int16:
		return appendEach(b, v, widen)
	case []int32:
		return appendEach(b, v, widen)
	case []int64:
		return appendEach(b, v, same)
	case []uint16:
		return appendEach(b, v, same)
	case []uint32:
		return appendEach(b, v, same)
	case []uint64:
		return appendEach(b, v, same)
	}
	return append(b, "<unknown>"...) // BYTE_ARRAY, BOOLEAN_ARRAY and DOUBLE
}

func (f TextFormat) appendQuoted(b []byte, s string) []byte {
	return append(f.appendString(append(b, '"'), s), '"')
}

func appendHex(b []byte, v uint64) []byte {
	return strconv.AppendUint(append(b, "0x"...), v, 16)
}

func appendEach[T any](b []byte, v []T, bits func(T) uint64) []byte {
	for _, n := range v {
		b = append(appendHex(b, bits(n)), ' ')
	}
	return b
}

func same[T uint8 | uint16 | uint32 | uint64 | int64](n T) uint64 { return uint64(n) }

func widen[T int8 | int16 | int32](n T) uint64 { return uint64(uint32(n)) }

// vdevState is what zpool calls a vdev_state_t without a reason beside it.
func vdevState(state uint64) string {
	names := [...]string{1: "OFFLINE", 2: "OFFLINE", 3: "REMOVED", 4: "UNAVAIL", 5: "FAULTED", 6: "DEGRADED", 7: "ONLINE"}
	if state == 0 || state >= uint64(len(names)) {
		return "UNKNOWN"
	}
	return names[state]
}
