package zevent

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// TextFormat prints events as `zpool events` does; see the package comment
// for the releases. Strings are printed as they are, as zpool does: what goes
// to a terminal may hold control characters of a device path or a command.
type TextFormat struct {
	Verbose  bool           // -v: every pair, then an empty line
	Scripted bool           // -H: no header, a tab before the class
	Location *time.Location // nil is UTC
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
	var b strings.Builder
	if e.Dropped > 0 {
		fmt.Fprintf(&b, "dropped %d events\n", e.Dropped)
	}
	separator := " "
	if f.Scripted {
		separator = "\t"
	}
	b.WriteString(f.timestamp(e) + separator + e.Class + "\n")
	if f.Verbose {
		writePairs(&b, e.Pairs.Pairs, verboseIndent)
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// timestamp is the 30 columns of ctime_r with nanoseconds behind the seconds.
func (f TextFormat) timestamp(e Event) string {
	loc := f.Location
	if loc == nil {
		loc = time.UTC
	}
	return e.Time.In(loc).Format("Jan _2 2006 15:04:05.000000000")
}

// verboseIndent is how many columns zpool indents, and a level of embedding
// adds.
const verboseIndent = 8

func writePairs(b *strings.Builder, pairs []nvlist.Pair, indent int) {
	margin := strings.Repeat(" ", indent)
	for _, p := range pairs {
		b.WriteString(margin)
		switch v := p.Value.(type) {
		case nvlist.List:
			fmt.Fprintf(b, "%s = (embedded nvlist)\n", p.Name)
			writePairs(b, v.Pairs, indent+verboseIndent)
			fmt.Fprintf(b, "%s(end %s)\n", margin, p.Name)
		case []nvlist.List:
			fmt.Fprintf(b, "%s = (%d embedded nvlists)\n", p.Name, len(v))
			for i, l := range v {
				fmt.Fprintf(b, "%s%s[%d] = (embedded nvlist)\n", margin, p.Name, i)
				writePairs(b, l.Pairs, indent+verboseIndent)
				fmt.Fprintf(b, "%s(end %s[%d])\n", margin, p.Name, i)
			}
			fmt.Fprintf(b, "%s(end %s)\n\n", margin, p.Name)
		default:
			fmt.Fprintf(b, "%s = %s\n", p.Name, valueText(p))
		}
	}
}

// valueText prints a value at the width of its type, so that int8 -1 is 0xff;
// but elements of int8 and int16 arrays widened to 32 bits, as zpool's
// printf arguments are.
func valueText(p nvlist.Pair) string {
	switch v := p.Value.(type) {
	case nil:
		return "1"
	case bool:
		if v {
			return "1"
		}
		return "0"
	case uint8, uint16, uint32:
		return fmt.Sprintf("0x%x", v)
	case int8:
		return fmt.Sprintf("0x%x", uint8(v))
	case int16:
		return fmt.Sprintf("0x%x", uint16(v))
	case int32:
		return fmt.Sprintf("0x%x", uint32(v))
	case int64:
		return fmt.Sprintf("0x%x", uint64(v))
	case uint64:
		if p.Name == "vdev_state" || p.Name == "vdev_laststate" {
			return fmt.Sprintf("\"%s\" (0x%x)", vdevState(v), v)
		}
		return fmt.Sprintf("0x%x", v)
	case string:
		return `"` + v + `"`
	case []string:
		var b strings.Builder
		for _, s := range v {
			b.WriteString(`"` + s + `" `)
		}
		return b.String()
	case []uint8:
		if p.Type == nvlist.Uint8Array {
			return hexArray(v)
		}
	case []int8:
		return hexArray(widen(v))
	case []int16:
		return hexArray(widen(v))
	case []int32:
		return hexArray(widen(v))
	case []int64:
		u := make([]uint64, len(v))
		for i, n := range v {
			u[i] = uint64(n)
		}
		return hexArray(u)
	case []uint16:
		return hexArray(v)
	case []uint32:
		return hexArray(v)
	case []uint64:
		return hexArray(v)
	}
	return "<unknown>" // BYTE_ARRAY, BOOLEAN_ARRAY and DOUBLE
}

func hexArray[T uint8 | uint16 | uint32 | uint64](v []T) string {
	var b strings.Builder
	for _, n := range v {
		fmt.Fprintf(&b, "0x%x ", n)
	}
	return b.String()
}

func widen[T int8 | int16 | int32](v []T) []uint32 {
	u := make([]uint32, len(v))
	for i, n := range v {
		u[i] = uint32(int32(n))
	}
	return u
}

// vdevState is what zpool calls a vdev_state_t without a reason beside it.
func vdevState(state uint64) string {
	names := [...]string{1: "OFFLINE", 2: "OFFLINE", 3: "REMOVED", 4: "UNAVAIL", 5: "FAULTED", 6: "DEGRADED", 7: "ONLINE"}
	if state == 0 || state >= uint64(len(names)) {
		return "UNKNOWN"
	}
	return names[state]
}
