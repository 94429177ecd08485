package progress

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStepReportsItsLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []Event
		f := Func(func(e Event) { got = append(got, e) })
		err := f.Step("build", func(report func(Event)) error {
			time.Sleep(300 * time.Millisecond)
			report(Event{Done: 1, Unit: "files"})
			time.Sleep(900 * time.Millisecond)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []Event{
			{Step: "build", State: Started},
			{Step: "build", Done: 1, Unit: "files", Elapsed: 300 * time.Millisecond},
			{Step: "build", Done: 1, Unit: "files", Elapsed: time.Second}, // the heartbeat
			{Step: "build", State: Finished, Elapsed: 1200 * time.Millisecond},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

func TestStepEnds(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		name string
		work func(report func(Event)) error
		want State
		err  error
	}{
		{"finished", func(func(Event)) error { return nil }, Finished, nil},
		{"cached", func(report func(Event)) error { report(Event{State: Cached}); return nil }, Cached, nil},
		{"failed", func(func(Event)) error { return broken }, Failed, broken},
	} {
		t.Run(test.name, func(t *testing.T) {
			var last Event
			err := Func(func(e Event) { last = e }).Step("s", test.work)
			if err != test.err || last.State != test.want {
				t.Errorf("Step = %v, last state %v; want %v, %v", err, last.State, test.err, test.want)
			}
		})
	}
	if err := Func(nil).Step("s", func(report func(Event)) error { report(Event{}); return nil }); err != nil {
		t.Errorf("Step of a nil Func: %v", err)
	}
}
