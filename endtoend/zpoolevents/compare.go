package zpoolevents

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// Difference is the first event that zpool and zevents print differently.
type Difference struct {
	Class string // empty of what is printed before the first event, or behind the last
	EID   uint64
	Text  []byte // unified
}

func (p Print) arguments() []string { return strings.Fields(p.Args) }

// pool is the argument that is none of the options.
func (p Print) pool() string {
	for _, arg := range p.arguments() {
		if !strings.HasPrefix(arg, "-") {
			return arg
		}
	}
	return ""
}

// compare returns nil for texts that are the same. events are those of the queue.
func compare(p Print, zpool, zevents []byte, events []zevent.Event) *Difference {
	if bytes.Equal(zpool, zevents) {
		return nil
	}
	want, got := cutEvents(zpool), cutEvents(zevents)
	n := 0
	for n < len(want) && n < len(got) && bytes.Equal(want[n], got[n]) {
		n++
	}
	part := func(parts [][]byte) []byte {
		if n < len(parts) {
			return parts[n]
		}
		return nil
	}
	d := &Difference{Text: diff.Diff(p.String(), part(want), "zevents", part(got))}
	filter := zevent.Filter{Pool: p.pool()}
	for _, e := range events {
		if !filter.Match(e) {
			continue
		}
		if n--; n == 0 { // the part 0 is before the first event
			d.Class, d.EID = e.Class, e.EID
		}
	}
	return d
}

var eventLine = regexp.MustCompile(`(?m)^[A-Z][a-z]{2} [ \d]\d \d{4} \d\d:\d\d:\d\d\.\d{9}[ \t]`)

// cutEvents cuts a text into what is before the first event, which may be nothing, and the events.
func cutEvents(text []byte) (parts [][]byte) {
	start := 0
	for _, at := range eventLine.FindAllIndex(text, -1) {
		parts = append(parts, text[start:at[0]])
		start = at[0]
	}
	return append(parts, text[start:])
}
