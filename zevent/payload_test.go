package zevent_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// Every pair of every recorded event has its place.
func TestPayloadKnowsRecordedEvents(t *testing.T) {
	_, events := recorded(t)
	kinds := map[string]int{}
	for _, e := range events {
		p, err := e.Payload()
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Rest.Pairs) > 0 {
			t.Errorf("EID %d, %s: pairs without a place: %v", e.EID, e.Class, p.Rest.Pairs)
		}
		if p.Pool == nil || p.Pool.Name != e.Pool {
			t.Errorf("EID %d, %s: pool %+v", e.EID, e.Class, p.Pool)
		}
		for kind, there := range map[string]bool{"detector": p.Detector != nil, "vdev": p.Vdev != nil, "io": p.IO != nil, "bookmark": p.Bookmark != nil, "history": p.History != nil} {
			if there {
				kinds[kind]++
			}
		}
	}
	want := map[string]int{"detector": 182, "vdev": 185, "io": 182, "bookmark": 148, "history": 51}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("events that have (-want +got):\n%s", diff)
	}
}

func TestPayloadOfStateChange(t *testing.T) {
	_, events := recorded(t)
	for _, e := range events {
		if e.Class != "resource.fs.zfs.statechange" {
			continue
		}
		p, err := e.Payload()
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Vdev.LastState.String() + " to " + p.Vdev.State.String(); got != "ONLINE to OFFLINE" && got != "OFFLINE to ONLINE" {
			t.Errorf("EID %d: got %s", e.EID, got)
		}
		return
	}
	t.Fatal("no statechange is recorded")
}

// The types of other releases fit, and what no release posts is kept.
func TestPayloadOfOtherReleases(t *testing.T) {
	later := nvlist.Pair{Name: "later", Type: nvlist.Uint8, Value: uint8(1)}
	misfit := nvlist.Pair{Name: "zio_size", Type: nvlist.String, Value: "large"}
	e := zevent.Event{Class: "ereport.fs.zfs.io", EID: 3, Pairs: nvlist.New(
		nvlist.Pair{Name: "class", Type: nvlist.String, Value: "ereport.fs.zfs.io"},
		nvlist.Pair{Name: "zio_flags", Type: nvlist.Uint64, Value: uint64(1) << 32}, // 2.3
		nvlist.Pair{Name: "zio_type", Type: nvlist.Uint32, Value: uint32(1)},        // 2.4
		later, misfit,
	)}
	p, err := e.Payload()
	var bad *nvlist.UnmarshalTypeError
	if !errors.As(err, &bad) || bad.Name != "zio_size" {
		t.Errorf("got error %v, want one of zio_size", err)
	}
	read := uint32(1)
	want := zevent.Payload{IO: &zevent.IOPayload{Flags: 1 << 32, Type: &read}, Rest: nvlist.New(later, misfit)}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStateNames(t *testing.T) {
	got := []string{zevent.VdevState(7).String(), zevent.VdevState(8).String(), zevent.PoolState(1).String(), zevent.PoolContext(6).String(), zevent.PoolContext(-1).String()}
	if diff := cmp.Diff([]string{"ONLINE", "UNKNOWN", "EXPORTED", "CREATE", "-1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
