package zevent

import (
	"encoding/base64"
	"strconv"
	"sync"

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
	m := borrowJSONMemory()
	b = f.appendPayload(b, v.Pairs, m)
	m.giveBack()
	return append(b, "}\n"...)
}

// jsonMemory is what JSONFormat keeps from event to event.
type jsonMemory struct {
	names   *nameSequence
	offsets []int // of the pairs of a list, and behind them of one that is embedded in it
}

// jsonMemories are used again, by any goroutine: as many as there were at once. A sync.Pool gives them up now and then.
var jsonMemories struct {
	sync.Mutex
	free []*jsonMemory
}

// maxKeptOffsets is far above the pairs that an event of a module has.
const maxKeptOffsets = 64 << 10

// borrowJSONMemory returns one for one event.
func borrowJSONMemory() *jsonMemory {
	jsonMemories.Lock()
	defer jsonMemories.Unlock()
	last := len(jsonMemories.free) - 1
	if last < 0 {
		return &jsonMemory{names: newNameSequence()}
	}
	m := jsonMemories.free[last]
	jsonMemories.free = jsonMemories.free[:last]
	return m
}

func (m *jsonMemory) giveBack() {
	if m.names.isFull() {
		m.names = newNameSequence()
	}
	if cap(m.offsets) > maxKeptOffsets {
		m.offsets = nil
	}
	jsonMemories.Lock()
	defer jsonMemories.Unlock()
	jsonMemories.free = append(jsonMemories.free, m)
}

func (f JSONFormat) appendPayload(b []byte, list nvlist.View, m *jsonMemory) []byte {
	first, names := len(m.offsets), m.names
	for p := range list.Pairs() {
		names = names.followedBy(p.Name())
		m.offsets = append(m.offsets, p.Offset())
	}
	b = append(b, '{')
	var p nvlist.PairView
	for i, field := range names.sorted() {
		b = append(appendComma(b, i), field.label...)
		list.Load(&p, m.offsets[first+field.pair])
		b = f.appendValue(b, &p, m)
	}
	m.offsets = m.offsets[:first]
	return append(b, '}')
}

func (f JSONFormat) appendValue(b []byte, p *nvlist.PairView, m *jsonMemory) []byte {
	switch p.Type() {
	case nvlist.Boolean:
		return append(b, "true"...)
	case nvlist.NVList:
		list, _ := p.List()
		return f.appendPayload(b, list, m)
	case nvlist.ByteArray:
		v, _ := p.Bytes()
		b = base64.StdEncoding.AppendEncode(append(b, '"'), v)
		return append(b, '"')
	case nvlist.Double:
		v, _ := p.Float64()
		b = strconv.AppendFloat(append(b, '"'), v, 'g', -1, 64)
		return append(b, '"')
	case nvlist.NVListArray, nvlist.StringArray:
		return f.appendArray(b, p, m)
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
func (f JSONFormat) appendArray(b []byte, p *nvlist.PairView, m *jsonMemory) []byte {
	b = append(b, '[')
	i := 0
	for list := range p.Lists() {
		b = f.appendPayload(appendComma(b, i), list, m)
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
	switch p.Type() {
	case nvlist.String:
		v, _ := p.Bytes()
		return appendJSONString(b, v)
	case nvlist.BooleanValue, nvlist.BooleanArray:
		v, _ := p.Bool(i)
		return strconv.AppendBool(b, v)
	case nvlist.Uint64, nvlist.Uint64Array:
		v, _ := p.Uint(i)
		return append(strconv.AppendUint(append(b, '"'), v, 10), '"')
	case nvlist.Int64, nvlist.Int64Array, nvlist.HRTime:
		v, _ := p.Int(i)
		return append(strconv.AppendInt(append(b, '"'), v, 10), '"')
	}
	if v, ok := p.Uint(i); ok {
		return strconv.AppendUint(b, v, 10)
	}
	v, _ := p.Int(i)
	return strconv.AppendInt(b, v, 10)
}
