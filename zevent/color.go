package zevent

import "bytes"

// color is the parameter of the control sequence SGR of ECMA-48, which every
// terminal since the VT100 knows.
type color string

const (
	plain  color = ""
	bold   color = "1"
	red    color = "31"
	green  color = "32"
	yellow color = "33"
)

// classColor tells errors from changes of state.
func classColor(class []byte) color {
	switch {
	case bytes.HasPrefix(class, []byte("ereport.")):
		return red
	case bytes.HasPrefix(class, []byte("resource.")):
		return yellow
	}
	return plain
}

// stateColor is that of a vdev_state_t of include/sys/fs/zfs.h.
func stateColor(state uint64) color {
	const removed, unavail, faulted, degraded, online = 3, 4, 5, 6, 7
	switch state {
	case online:
		return green
	case degraded:
		return yellow
	case removed, unavail, faulted:
		return red
	}
	return plain
}

func (f *TextFormat) appendColored(b []byte, c color, s []byte) []byte {
	if !f.Colored || c == plain {
		return f.appendString(b, s)
	}
	b = append(append(append(b, "\x1b["...), c...), 'm')
	return append(f.appendString(b, s), "\x1b[m"...)
}
