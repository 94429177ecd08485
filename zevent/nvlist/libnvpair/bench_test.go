package libnvpair_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist/libnvpair"
)

// recordedEvents are the packed events of OpenZFS 2.1.11's recording.
func recordedEvents(tb testing.TB) [][]byte {
	tb.Helper()
	recording, err := os.ReadFile("../../../testdata/openzfs-2.1.11/events.zevents")
	if err != nil {
		tb.Fatal(err)
	}
	var events [][]byte
	lines := bufio.NewScanner(bytes.NewReader(recording))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct{ Nvlist []byte }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			tb.Fatal(err)
		}
		if line.Nvlist != nil {
			events = append(events, line.Nvlist)
		}
	}
	return events
}

// BenchmarkLookup has both codecs check every event, find its class, and forget
// it. They take turns, and the median turn of each counts, so that the ratio holds
// on a machine that is busy with other work.
func BenchmarkLookup(b *testing.B) {
	events := recordedEvents(b)
	class := libnvpair.NewName("class")
	var theirs, ours []time.Duration
	for b.Loop() {
		start := time.Now()
		for _, packed := range events {
			if err := libnvpair.LookupString(packed, class); err != nil {
				b.Fatal(err)
			}
		}
		middle := time.Now()
		for _, packed := range events {
			v, err := nvlist.Parse(packed)
			if err != nil {
				b.Fatal(err)
			}
			if _, ok := v.Lookup("class", nvlist.String); !ok {
				b.Fatal("no class")
			}
		}
		theirs, ours = append(theirs, middle.Sub(start)), append(ours, time.Since(middle))
	}
	count := float64(len(events))
	b.ReportMetric(median(theirs)/count, "libnvpair-ns/event")
	b.ReportMetric(median(ours)/count, "nvlist-ns/event")
	b.ReportMetric(median(theirs)/median(ours), "times-libnvpair")
	b.ReportMetric(0, "ns/op") // of both together
}

// median is in nanoseconds.
func median(times []time.Duration) float64 {
	slices.Sort(times)
	return float64(times[len(times)/2])
}
