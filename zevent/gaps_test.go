package zevent_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
)

func TestGaps(t *testing.T) {
	type ranges = []zevent.EIDRange
	tests := []struct {
		name   string
		eids   []uint64
		want   ranges
		events uint64
	}{
		{"none", nil, nil, 0},
		{"the first is the start", []uint64{5, 6, 7}, nil, 0},
		{"two gaps", []uint64{1, 3, 7}, ranges{{2, 2}, {4, 6}}, 4},
		{"posted at the same time", []uint64{1, 3, 2, 4}, ranges{}, 0},
		{"the first of a gap comes late", []uint64{1, 5, 2}, ranges{{3, 4}}, 2},
		{"the last of a gap comes late", []uint64{1, 5, 4}, ranges{{2, 3}}, 2},
		{"one within comes late", []uint64{1, 5, 3}, ranges{{2, 2}, {4, 4}}, 2},
		{"seen before", []uint64{1, 3, 1, 3}, ranges{{2, 2}}, 1},
		{"before the start", []uint64{5, 4}, nil, 0},
		{"no EID", []uint64{1, 0, 2}, nil, 0},
		{"the highest EID", []uint64{1, 1<<64 - 1}, ranges{{2, 1<<64 - 2}}, 1<<64 - 3},
	}
	for _, test := range tests {
		var g zevent.Gaps
		for _, eid := range test.eids {
			g.Deliver(eid)
		}
		if diff := cmp.Diff(test.want, g.Ranges()); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", test.name, diff)
		}
		if got := g.Events(); got != test.events {
			t.Errorf("%s: got %d events, want %d", test.name, got, test.events)
		}
	}
}

// A device that gives wild EIDs makes the count grow, and not the memory.
func TestGapsAreBounded(t *testing.T) {
	var g zevent.Gaps
	const delivered = 10_000
	for i := range uint64(delivered) {
		g.Deliver(1 + 2*i)
	}
	if n := len(g.Ranges()); n != 1024 {
		t.Errorf("got %d ranges, want 1024", n)
	}
	if got := g.Events(); got != delivered-1 {
		t.Errorf("got %d events, want %d", got, delivered-1)
	}
	g.Deliver(1<<63 + 1)
	for i := range uint64(delivered) {
		g.Deliver(1<<63 - 2*i)
	}
	if n := len(g.Ranges()); n > 1024 {
		t.Errorf("after the splits of a gap: got %d ranges", n)
	}
}
