package zevent

import (
	"bytes"
	"encoding/json"
	"fmt"
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

type jsonEvent struct {
	Type    string         `json:"type"`
	EID     uint64         `json:"eid"`
	Time    string         `json:"time"`
	Class   string         `json:"class"`
	Pool    string         `json:"pool,omitempty"`
	Dropped uint64         `json:"dropped"`
	Payload map[string]any `json:"payload"`
}

// AppendDropped appends a line for the dropped count of an event that is itself
// left out: {"type": "dropped", "dropped": 3}. It appends nothing for 0.
func (JSONFormat) AppendDropped(b []byte, dropped uint64) []byte {
	if dropped == 0 {
		return b
	}
	b = append(b, `{"type":"dropped","dropped":`...)
	return append(strconv.AppendUint(b, dropped, 10), "}\n"...)
}

// AppendEvent appends the line of one event.
func (JSONFormat) AppendEvent(b []byte, e Event) []byte {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(jsonEvent{
		Type: "event", EID: e.EID, Time: e.Time.UTC().Format("2006-01-02T15:04:05.000000000Z"),
		Class: e.Class, Pool: e.Pool, Dropped: e.Dropped, Payload: jsonPayload(e.Pairs),
	})
	if err != nil { // a pair that no decoder made
		line.Reset()
		fmt.Fprintf(&line, "{\"type\":\"unprintable\",\"eid\":%d,\"error\":%q}\n", e.EID, err)
	}
	return appendEscapedJSON(b, line.Bytes())
}

func jsonPayload(l nvlist.List) map[string]any {
	payload := make(map[string]any, len(l.Pairs))
	for _, p := range l.Pairs {
		payload[p.Name] = jsonValue(p)
	}
	return payload
}

func jsonValue(p nvlist.Pair) any {
	switch v := p.Value.(type) {
	case nil:
		return true
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case nvlist.List:
		return jsonPayload(v)
	case []nvlist.List:
		return jsonArray(v, jsonPayload)
	case []int64:
		return jsonArray(v, func(n int64) string { return strconv.FormatInt(n, 10) })
	case []uint64:
		return jsonArray(v, func(n uint64) string { return strconv.FormatUint(n, 10) })
	case []uint8:
		if p.Type == nvlist.Uint8Array { // else the encoder's base64 is right
			return jsonArray(v, func(n uint8) uint64 { return uint64(n) })
		}
	}
	return p.Value
}

// jsonArray is never nil: that would be null in JSON.
func jsonArray[T, J any](v []T, convert func(T) J) []J {
	array := make([]J, len(v))
	for i, e := range v {
		array[i] = convert(e)
	}
	return array
}
