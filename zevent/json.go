package zevent

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// JSONFormat prints one JSON object a line. An event is
//
//	{"type": "event", "eid": 7, "time": "2026-11-22T06:12:15.736000000Z",
//	 "class": "sysevent.fs.zfs.scrub_start", "pool": "tank", "dropped": 0, "payload": {...}}
//
// where pool is left out for an event of no pool, and dropped is
// [Event.Dropped]. payload has every pair, sorted by name, the last of a name
// that is repeated. The type of a value depends on the type of the pair alone:
//
//	BOOLEAN                              true
//	BOOLEAN_VALUE                        true or false
//	BYTE, (U)INT8, (U)INT16, (U)INT32    a number
//	(U)INT64, HRTIME                     a string of decimal digits: readers
//	                                     round numbers above 2^53
//	STRING                               a string; bytes that are not UTF-8
//	                                     become U+FFFD
//	BYTE_ARRAY                           a string, base64
//	DOUBLE                               a string, such as 0.5 or NaN
//	NVLIST                               an object, as payload
//	any other _ARRAY                     an array of these
//
// Every character that does not print is escaped, so that a line is harmless
// on a terminal.
type JSONFormat struct{}

// AppendDropped appends a line for the dropped count of an event that is itself
// left out: {"type": "dropped", "dropped": 3}. It appends nothing for 0.
func (JSONFormat) AppendDropped(b []byte, dropped uint64) []byte {
	if dropped == 0 {
		return b
	}
	b = append(b, `{"type":"dropped","dropped":`...)
	return append(strconv.AppendUint(b, dropped, 10), "}\n"...)
}

// AppendEvent appends the line of one event as AppendView does: that of Raw, or
// for an Event without Raw that of Pairs.
func (f JSONFormat) AppendEvent(b []byte, e Event) []byte { return f.AppendView(b, e.view()) }

// AppendView appends the line of one event.
func (f JSONFormat) AppendView(b []byte, v View) []byte {
	b = append(b, `{"type":"event","eid":`...)
	b = strconv.AppendUint(b, v.EID, 10)
	b = append(b, `,"time":"`...)
	b = v.Time.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000000Z")
	b = append(b, `","class":`...)
	b = appendJSONString(b, v.Class)
	if len(v.Pool) > 0 {
		b = append(b, `,"pool":`...)
		b = appendJSONString(b, v.Pool)
	}
	b = append(b, `,"dropped":`...)
	b = strconv.AppendUint(b, v.Dropped, 10)
	b = append(b, `,"payload":`...)
	return append(f.appendPayload(b, v.Pairs), "}\n"...)
}

// usualPairs is more than an event of a real module has.
const usualPairs = 64

func (f JSONFormat) appendPayload(b []byte, list nvlist.View) []byte {
	type place struct {
		name []byte
		at   int // in pairs, which are too large to be moved about
	}
	pairs := make([]nvlist.PairView, 0, usualPairs)
	sorted := make([]place, 0, usualPairs)
	for p := range list.Pairs() {
		sorted = append(sorted, place{p.Name(), len(pairs)})
		pairs = append(pairs, *p)
	}
	slices.SortFunc(sorted, func(p, q place) int {
		if order := bytes.Compare(p.name, q.name); order != 0 {
			return order
		}
		return p.at - q.at
	})
	b = append(b, '{')
	start := len(b)
	for i, p := range sorted {
		if i+1 < len(sorted) && bytes.Equal(p.name, sorted[i+1].name) {
			continue
		}
		if len(b) > start {
			b = append(b, ',')
		}
		b = append(appendJSONString(b, p.name), ':')
		b = f.appendValue(b, &pairs[p.at])
	}
	return append(b, '}')
}

func (f JSONFormat) appendValue(b []byte, p *nvlist.PairView) []byte {
	switch p.Type() {
	case nvlist.Boolean:
		return append(b, "true"...)
	case nvlist.NVList:
		list, _ := p.List()
		return f.appendPayload(b, list)
	case nvlist.ByteArray:
		v, _ := p.Bytes()
		b = base64.StdEncoding.AppendEncode(append(b, '"'), v)
		return append(b, '"')
	case nvlist.Double:
		v, _ := p.Float64()
		b = strconv.AppendFloat(append(b, '"'), v, 'g', -1, 64)
		return append(b, '"')
	case nvlist.NVListArray, nvlist.StringArray:
		return f.appendArray(b, p)
	case nvlist.BooleanArray, nvlist.Int8Array, nvlist.Int16Array, nvlist.Int32Array, nvlist.Int64Array,
		nvlist.Uint8Array, nvlist.Uint16Array, nvlist.Uint32Array, nvlist.Uint64Array:
		b = append(b, '[')
		for i := range p.Len() {
			b = appendElement(appendComma(b, i), p, i)
		}
		return append(b, ']')
	}
	return appendElement(b, p, 0)
}

// appendArray appends an array whose elements are found one behind the other.
func (f JSONFormat) appendArray(b []byte, p *nvlist.PairView) []byte {
	b = append(b, '[')
	i := 0
	for list := range p.Lists() {
		b = f.appendPayload(appendComma(b, i), list)
		i++
	}
	if p.Type() == nvlist.StringArray {
		for s := range p.Strings() {
			b = appendJSONString(appendComma(b, i), s)
			i++
		}
	}
	return append(b, ']')
}

func appendComma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

// appendElement appends the i-th number, truth value or string of a pair.
func appendElement(b []byte, p *nvlist.PairView, i int) []byte {
	wide := false
	switch p.Type() {
	case nvlist.Int64, nvlist.Uint64, nvlist.HRTime, nvlist.Int64Array, nvlist.Uint64Array:
		wide = true
		b = append(b, '"')
	}
	if v, ok := p.Uint(i); ok {
		b = strconv.AppendUint(b, v, 10)
	} else if v, ok := p.Int(i); ok {
		b = strconv.AppendInt(b, v, 10)
	} else if v, ok := p.Bool(i); ok {
		b = strconv.AppendBool(b, v)
	} else if v, ok := p.Bytes(); ok {
		b = appendJSONString(b, v)
	}
	if wide {
		b = append(b, '"')
	}
	return b
}
