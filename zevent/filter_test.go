package zevent_test

import (
	"errors"
	"path"
	"testing"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

func TestFilter(t *testing.T) {
	at := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	event := zevent.Event{Class: "ereport.fs.zfs.io", Time: at, Pairs: nvlist.New(nvlist.Pair{Name: "pool", Type: nvlist.String, Value: "tank"})}
	noPool := zevent.Event{Class: "ereport.fs.zfs.io", Time: at}
	poolNumber := zevent.Event{Time: at, Pairs: nvlist.New(nvlist.Pair{Name: "pool", Type: nvlist.Uint64, Value: uint64(1)})}
	emptyPool := zevent.Event{Time: at, Pairs: nvlist.New(nvlist.Pair{Name: "pool", Type: nvlist.String, Value: ""})}
	tests := []struct {
		name   string
		filter zevent.Filter
		event  zevent.Event
		want   bool
	}{
		{"nothing asked", zevent.Filter{}, event, true},
		{"its pool", zevent.Filter{Pool: "tank"}, event, true},
		{"other pool", zevent.Filter{Pool: "tan"}, event, false},
		{"of no pool", zevent.Filter{Pool: "tank"}, noPool, true},
		{"pool is a number", zevent.Filter{Pool: "tank"}, poolNumber, true},
		{"pool is empty", zevent.Filter{Pool: "tank"}, emptyPool, false},
		{"class", zevent.Filter{Class: "ereport.*"}, event, true},
		{"whole class", zevent.Filter{Class: "ereport"}, event, false},
		{"other class", zevent.Filter{Class: "*.checksum"}, event, false},
		{"from then on", zevent.Filter{Since: at}, event, true},
		{"later", zevent.Filter{Since: at.Add(1)}, event, false},
		{"before then", zevent.Filter{Until: at}, event, false},
		{"earlier", zevent.Filter{Until: at.Add(1)}, event, true},
		{"all of it", zevent.Filter{Pool: "tank", Class: "*io", Since: at, Until: at.Add(1)}, event, true},
	}
	for _, test := range tests {
		if got := test.filter.Match(test.event); got != test.want {
			t.Errorf("%s: got %t, want %t", test.name, got, test.want)
		}
	}
	if err := (zevent.Filter{Class: "a[", Pool: "x"}).Check(); !errors.Is(err, path.ErrBadPattern) {
		t.Errorf("a pattern that is none: got error %v", err)
	}
	if err := (zevent.Filter{}).Check(); err != nil {
		t.Error(err)
	}
}
