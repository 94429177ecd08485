package emulator_test

import (
	"io"
	"os"
	"testing"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
)

func recordedEvents(b testing.TB) []zevent.Event {
	f, err := os.Open("../../testdata/openzfs-2.1.11/events.zevents")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	r, err := zevent.NewRecordingReader(f, f.Name())
	if err != nil {
		b.Fatal(err)
	}
	var events []zevent.Event
	for r.Scan() {
		e, err := r.Event()
		if err != nil {
			b.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// BenchmarkPostAndRead posts and reads one event an iteration: as it was
// recorded, prepared, and packed for each post.
func BenchmarkPostAndRead(b *testing.B) {
	events := recordedEvents(b)
	var prepared []emulator.Prepared
	for _, e := range events {
		p, err := emulator.Prepare(e.Pairs)
		if err != nil {
			b.Fatal(err)
		}
		prepared = append(prepared, p)
	}
	posts := map[string]func(q *emulator.Queue, i int) error{
		"recorded": func(q *emulator.Queue, i int) error { return q.PostRecorded(events[i]) },
		"prepared": func(q *emulator.Queue, i int) error {
			_, err := q.PostPrepared(prepared[i])
			return err
		},
		"packed": func(q *emulator.Queue, i int) error {
			_, err := q.Post(events[i].Pairs)
			return err
		},
	}
	for name, post := range posts {
		b.Run(name, func(b *testing.B) {
			q := emulator.NewModule(zevent.DefaultParameters(zevent.Release{Major: 2, Minor: 1}, 0), clock, io.Discard)
			d := q.Open()
			buf := make([]byte, zevent.MaxEventBytes)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := post(q, i%len(events)); err != nil {
					b.Fatal(err)
				}
				if _, _, err := d.Next(buf, zevent.Nonblock); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
