package zevent_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// TestTextOfRealEvents compares with what zpool 2.1.11 printed for the same
// events, with TZ=UTC.
func TestTextOfRealEvents(t *testing.T) {
	_, events := recorded(t)
	tests := []struct {
		file   string
		format zevent.TextFormat
	}{
		{"zpool-events-v.txt", zevent.TextFormat{Verbose: true}},
		{"zpool-events-H.txt", zevent.TextFormat{Scripted: true}},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			var got strings.Builder
			if err := test.format.WriteHeader(&got); err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				if err := test.format.WriteEvent(&got, e); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(readFile(t, test.file)), got.String()); diff != "" {
				t.Errorf("text of %d events (-want +got):\n%s", len(events), diff)
			}
		})
	}
}

func TestPlainLine(t *testing.T) {
	e := zevent.Event{Class: "c", Dropped: 3, Time: time.Date(2026, 1, 6, 23, 30, 0, 5, time.UTC)}
	var got strings.Builder
	format := zevent.TextFormat{Location: time.FixedZone("", 3600)}
	if err := format.WriteEvent(&got, e); err != nil {
		t.Fatal(err)
	}
	want := "dropped 3 events\nJan  7 2026 00:30:00.000000005 c\n"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTextOfEveryType holds what no recorded event has; the texts are those of
// zpool's printer.
func TestTextOfEveryType(t *testing.T) {
	child := nvlist.New(nvlist.Pair{Name: "n", Type: nvlist.Uint8, Value: uint8(1)})
	tests := []struct {
		pair nvlist.Pair
		want string
	}{
		{nvlist.Pair{Type: nvlist.Boolean}, "x = 1\n"},
		{nvlist.Pair{Type: nvlist.BooleanValue, Value: true}, "x = 1\n"},
		{nvlist.Pair{Type: nvlist.BooleanValue, Value: false}, "x = 0\n"},
		{nvlist.Pair{Type: nvlist.Byte, Value: uint8(0xab)}, "x = 0xab\n"},
		{nvlist.Pair{Type: nvlist.Int8, Value: int8(-1)}, "x = 0xff\n"},
		{nvlist.Pair{Type: nvlist.Int16, Value: int16(-1)}, "x = 0xffff\n"},
		{nvlist.Pair{Type: nvlist.Uint16, Value: uint16(1)}, "x = 0x1\n"},
		{nvlist.Pair{Type: nvlist.Int32, Value: int32(-1)}, "x = 0xffffffff\n"},
		{nvlist.Pair{Type: nvlist.Int64, Value: int64(-1)}, "x = 0xffffffffffffffff\n"},
		{nvlist.Pair{Type: nvlist.HRTime, Value: int64(10)}, "x = 0xa\n"},
		{nvlist.Pair{Type: nvlist.Int8Array, Value: []int8{-1}}, "x = 0xffffffff \n"},
		{nvlist.Pair{Type: nvlist.Int16Array, Value: []int16{-1, 1}}, "x = 0xffffffff 0x1 \n"},
		{nvlist.Pair{Type: nvlist.Int32Array, Value: []int32{-1}}, "x = 0xffffffff \n"},
		{nvlist.Pair{Type: nvlist.Int64Array, Value: []int64{-1}}, "x = 0xffffffffffffffff \n"},
		{nvlist.Pair{Type: nvlist.Uint8Array, Value: []uint8{255}}, "x = 0xff \n"},
		{nvlist.Pair{Type: nvlist.Uint16Array, Value: []uint16{1}}, "x = 0x1 \n"},
		{nvlist.Pair{Type: nvlist.Uint32Array, Value: []uint32{1}}, "x = 0x1 \n"},
		{nvlist.Pair{Type: nvlist.Uint64Array, Value: []uint64{}}, "x = \n"},
		{nvlist.Pair{Type: nvlist.StringArray, Value: []string{"a", ""}}, "x = \"a\" \"\" \n"},
		{nvlist.Pair{Type: nvlist.ByteArray, Value: []uint8{1}}, "x = <unknown>\n"},
		{nvlist.Pair{Type: nvlist.BooleanArray, Value: []bool{true}}, "x = <unknown>\n"},
		{nvlist.Pair{Type: nvlist.Double, Value: 1.5}, "x = <unknown>\n"},
		{nvlist.Pair{Name: "vdev_state", Type: nvlist.Uint64, Value: uint64(6)}, "vdev_state = \"DEGRADED\" (0x6)\n"},
		{nvlist.Pair{Name: "vdev_laststate", Type: nvlist.Uint64, Value: uint64(8)}, "vdev_laststate = \"UNKNOWN\" (0x8)\n"},
		{nvlist.Pair{Type: nvlist.NVListArray, Value: []nvlist.List{child}},
			"x = (1 embedded nvlists)\n        x[0] = (embedded nvlist)\n                n = 0x1\n        (end x[0])\n        (end x)\n\n"},
	}
	const head = "Jan  1 1970 00:00:00.000000000 \n        "
	for _, test := range tests {
		if test.pair.Name == "" {
			test.pair.Name = "x"
		}
		var got strings.Builder
		e := zevent.Event{Time: time.Unix(0, 0), Pairs: nvlist.New(test.pair)}
		if err := (zevent.TextFormat{Verbose: true}).WriteEvent(&got, e); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(head+test.want+"\n", got.String()); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.pair.Type, diff)
		}
	}
}

func TestWriteErrorIsReturned(t *testing.T) {
	r, w := io.Pipe()
	r.Close()
	if err := (zevent.TextFormat{}).WriteEvent(w, zevent.Event{}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got error %v, want that of the writer", err)
	}
}

// TestViewsAllocateNothing: from the bytes of an event to its text, the buffer is
// the caller's.
func TestViewsAllocateNothing(t *testing.T) {
	_, events := recorded(t)
	text := zevent.TextFormat{Verbose: true, Escaped: true, Colored: true, Names: zevent.NamesOf("2.4.4")}
	filter := zevent.Filter{Pool: "tank", Since: time.Unix(1, 0)}
	var buf []byte
	got := testing.AllocsPerRun(10, func() {
		for _, e := range events {
			v, err := zevent.Parse(e.Raw, e.Dropped)
			if err != nil || !filter.MatchView(v) {
				t.Fatal(err)
			}
			buf = text.AppendView(buf[:0], v)
			buf = zevent.JSONFormat{}.AppendView(buf[:0], v)
		}
	})
	if got != 0 {
		t.Errorf("%g allocations for %d events, want none", got, len(events))
	}
}

func BenchmarkView(b *testing.B) {
	_, events := recorded(b)
	formats := map[string]func(b []byte, v zevent.View) []byte{
		"parse":   func(b []byte, v zevent.View) []byte { return b },
		"short":   zevent.TextFormat{}.AppendView,
		"verbose": zevent.TextFormat{Verbose: true}.AppendView,
		"JSON":    zevent.JSONFormat{}.AppendView,
	}
	for name, appendView := range formats {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				for _, e := range events {
					v, err := zevent.Parse(e.Raw, e.Dropped)
					if err != nil {
						b.Fatal(err)
					}
					buf = appendView(buf[:0], v)
				}
			}
			b.ReportMetric(float64(len(events)*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
