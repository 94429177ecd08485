package emulator_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// What is posted anew of each recorded event is what was recorded, but for the
// time and, from an EID of their own on, the EID.
func TestPostIsWhatTheModulePosts(t *testing.T) {
	q := emulator.New(emulator.DefaultMaxEvents, clock)
	d := q.Open()
	for _, recorded := range recordedEvents(t) {
		posted, err := q.Post(recorded.Pairs)
		if err != nil {
			t.Fatal(err)
		}
		want, err := nvlist.Encode(posted.Pairs, nvlist.Host())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(posted.Raw, want) || len(want) != len(recorded.Raw) {
			t.Fatalf("EID %d: the packed event is not that of its pairs", posted.EID)
		}
		read, err := zevent.NewClient(d).Next()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(posted, read); diff != "" {
			t.Fatalf("what was posted and what is read (-want +got):\n%s", diff)
		}
		prepared, err := emulator.Prepare(recorded.Pairs)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := q.PostPrepared(prepared); err != nil {
			t.Fatal(err)
		}
		if again, err := zevent.NewClient(d).Next(); err != nil || len(again.Raw) != len(read.Raw) || again.EID != read.EID+1 {
			t.Fatalf("posted prepared: got EID %d of %d bytes, %v", again.EID, len(again.Raw), err)
		}
	}
}

func TestPrepareRefusesWhatCannotBePacked(t *testing.T) {
	bad := nvlist.New(nvlist.Pair{Name: "x", Type: nvlist.Uint64, Value: "no number"})
	p, err := emulator.Prepare(bad)
	if err == nil {
		t.Error("want an error")
	}
	if _, err := emulator.New(8, clock).PostPrepared(p); err == nil {
		t.Error("posted all the same: want an error")
	}
}
