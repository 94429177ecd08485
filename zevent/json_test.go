package zevent_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

func TestJSONOfEveryType(t *testing.T) {
	child := nvlist.New(nvlist.Pair{Name: "n", Type: nvlist.Uint64, Value: uint64(math.MaxUint64)})
	tests := []struct {
		t     nvlist.Type
		value any
		want  string
	}{
		{nvlist.Boolean, nil, `true`},
		{nvlist.BooleanValue, false, `false`},
		{nvlist.Byte, uint8(0xab), `171`},
		{nvlist.Int8, int8(-1), `-1`},
		{nvlist.Uint32, uint32(math.MaxUint32), `4294967295`},
		{nvlist.Int64, int64(math.MinInt64), `"-9223372036854775808"`},
		{nvlist.HRTime, int64(10), `"10"`},
		{nvlist.Uint64, uint64(7), `"7"`},
		{nvlist.String, "<a>\"\\\x1b\n\x7f\u009b\u2028\u202e\U000e0001\xff é", `"<a>\"\\\u001b\n\u007f\u009b\u2028\u202e\udb40\udc01\ufffd é"`},
		{nvlist.Double, math.NaN(), `"NaN"`},
		{nvlist.Double, 0.5, `"0.5"`},
		{nvlist.ByteArray, []uint8{1, 2}, `"AQI="`},
		{nvlist.Uint8Array, []uint8{1, 2}, `[1,2]`},
		{nvlist.Int8Array, []int8{-1}, `[-1]`},
		{nvlist.Uint64Array, []uint64{}, `[]`},
		{nvlist.Int64Array, []int64{-1, 2}, `["-1","2"]`},
		{nvlist.StringArray, []string{"a", ""}, `["a",""]`},
		{nvlist.BooleanArray, []bool{true}, `[true]`},
		{nvlist.NVList, child, `{"n":"18446744073709551615"}`},
		{nvlist.NVListArray, []nvlist.List{child, {}}, `[{"n":"18446744073709551615"},{}]`},
	}
	for _, test := range tests {
		pairs := nvlist.New(nvlist.Pair{Name: "x", Type: nvlist.Uint8, Value: uint8(9)}, nvlist.Pair{Name: "x", Type: test.t, Value: test.value})
		e := zevent.Event{EID: 7, Class: "c", Dropped: 3, Time: time.Date(2026, 1, 6, 1, 0, 0, 5, time.FixedZone("", 3600)), Pairs: pairs}
		got := string(zevent.JSONFormat{}.AppendEvent(nil, e))
		want := `{"type":"event","eid":7,"time":"2026-01-06T00:00:00.000000005Z","class":"c","dropped":3,"payload":{"x":` + test.want + "}}\n"
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.t, diff)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%v: not JSON: %s", test.t, got)
		}
	}
}

// However many names there were before, and in whatever order, those of an event are its own, sorted, the last of each.
func TestJSONNames(t *testing.T) {
	line := func(list nvlist.List) string {
		text := string(zevent.JSONFormat{}.AppendEvent(nil, zevent.Event{Class: "c", Pairs: list}))
		_, payload, _ := strings.Cut(text, `"payload":`)
		return payload
	}
	number := func(name string, n int) nvlist.Pair {
		return nvlist.Pair{Name: name, Type: nvlist.Int32, Value: int32(n)}
	}
	for n := range 10_000 { // far more than are remembered
		own := fmt.Sprintf("b%d", n)
		children := []nvlist.List{nvlist.New(number(own, n), number("a", n)), nvlist.New(number("a", n), number(own, n)), {}}
		list := nvlist.New(number("z", 1), number(own, 2), number("\"", 3), number(own, n), nvlist.Pair{Name: "a", Type: nvlist.NVListArray, Value: children})
		want := fmt.Sprintf(`{"\"":3,"a":[{"a":%[1]d,"b%[1]d":%[1]d},{"a":%[1]d,"b%[1]d":%[1]d},{}],"b%[1]d":%[1]d,"z":1}}`+"\n", n)
		if got := line(list); got != want {
			t.Fatalf("event %d (-want +got):\n%s", n, cmp.Diff(want, got))
		}
	}
	wide := make([]nvlist.List, 100_000) // which takes no time in proportion to its square
	for i := range wide {
		wide[i] = nvlist.New(number(fmt.Sprint(i), i))
	}
	got := line(nvlist.New(nvlist.Pair{Name: "wide", Type: nvlist.NVListArray, Value: wide}))
	if want := `{"99999":99999}]}}` + "\n"; !strings.HasSuffix(got, want) {
		t.Errorf("%d bytes that end in %q, want %q", len(got), got[max(0, len(got)-40):], want)
	}
}

func TestDroppedAlone(t *testing.T) {
	if got := string(zevent.JSONFormat{}.AppendDropped([]byte("x"), 3)); got != "x{\"type\":\"dropped\",\"dropped\":3}\n" {
		t.Errorf("JSON: got %q", got)
	}
	if got := string(zevent.TextFormat{}.AppendDropped([]byte("x"), 3)); got != "xdropped 3 events\n" {
		t.Errorf("text: got %q", got)
	}
	if got := string(zevent.JSONFormat{}.AppendDropped(nil, 0)) + string(zevent.TextFormat{}.AppendDropped(nil, 0)); got != "" {
		t.Errorf("for nothing dropped: got %q", got)
	}
}

func TestJSONOfRealEvents(t *testing.T) {
	_, events := recorded(t)
	for _, e := range events {
		line := zevent.JSONFormat{}.AppendEvent(nil, e)
		var back struct {
			Type, Class, Pool string
			EID               uint64
			Time              time.Time
			Payload           map[string]any
		}
		if err := json.Unmarshal(line, &back); err != nil {
			t.Fatal(err)
		}
		if back.Type != "event" || back.EID != e.EID || back.Class != e.Class || back.Pool != e.Pool || !back.Time.Equal(e.Time) ||
			len(back.Payload) != len(e.Pairs.Pairs) || strings.Count(string(line), "\n") != 1 {
			t.Errorf("EID %d became %s", e.EID, line)
		}
	}
}
