package emulator_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// reporter reports errors of one vdev on a clock that the test sets.
type reporter struct {
	queue *emulator.Queue
	at    time.Time
}

func newReporter(r zevent.Release, change func(*zevent.Parameters)) *reporter {
	r0 := &reporter{at: time.Unix(1_000_000, 0)}
	p := zevent.DefaultParameters(r, 4)
	if change != nil {
		change(&p)
	}
	r0.queue = emulator.NewModule(p, func() time.Time { return r0.at }, io.Discard)
	return r0
}

func (r *reporter) report(subclass string, offset uint64) string {
	_, err := r.queue.Report(nvlist.New(
		nvlist.Pair{Name: "class", Type: nvlist.String, Value: "ereport.fs.zfs." + subclass},
		nvlist.Pair{Name: "pool_guid", Type: nvlist.Uint64, Value: uint64(7)},
		nvlist.Pair{Name: "vdev_guid", Type: nvlist.Uint64, Value: uint64(8)},
		nvlist.Pair{Name: "zio_err", Type: nvlist.Int32, Value: int32(5)},
		nvlist.Pair{Name: "zio_offset", Type: nvlist.Uint64, Value: offset},
	))
	switch {
	case err == nil:
		return "posted"
	case errors.Is(err, emulator.ErrDuplicate):
		return "duplicate"
	case errors.Is(err, emulator.ErrRateLimited):
		return "limited"
	}
	return err.Error()
}

var release24 = zevent.Release{Major: 2, Minor: 4}

func TestDuplicates(t *testing.T) {
	type step struct {
		after    time.Duration
		subclass string
		offset   uint64
		want     string
	}
	tests := []struct {
		name       string
		release    zevent.Release
		change     func(*zevent.Parameters)
		steps      []step
		duplicates uint64
	}{
		{"a repeat within 900 s, which each repeat extends", release24, nil, []step{
			{0, "io", 1, "posted"}, {900 * time.Second, "io", 1, "duplicate"}, {900*time.Second + 999*time.Millisecond, "io", 1, "duplicate"},
		}, 2},
		{"the cleaner forgets after 901 s", release24, nil, []step{{0, "io", 1, "posted"}, {901 * time.Second, "io", 1, "posted"}}, 0},
		{"expired before the cleaner runs again", release24, nil, []step{
			{0, "io", 1, "posted"}, {100 * time.Second, "io", 2, "posted"}, {905 * time.Second, "io", 2, "posted"},
		}, 1},
		{"another offset, another class", release24, nil, []step{{0, "io", 1, "posted"}, {0, "io", 2, "posted"}, {0, "data", 1, "posted"}, {0, "delay", 1, "posted"}, {0, "delay", 1, "posted"}}, 0},
		{"the oldest is recycled", release24, func(p *zevent.Parameters) { p.RetainEvents = 1 }, []step{{0, "io", 1, "posted"}, {0, "io", 2, "posted"}, {0, "io", 1, "posted"}, {0, "io", 1, "duplicate"}}, 1},
		{"switched off", release24, func(p *zevent.Parameters) { p.RetainEvents = 0 }, []step{{0, "io", 1, "posted"}, {0, "io", 1, "posted"}}, 0},
		{"0.8 knows none", zevent.Release{Minor: 8, Patch: 6}, nil, []step{{0, "io", 1, "posted"}, {0, "io", 1, "posted"}}, 0},
	}
	for _, test := range tests {
		r := newReporter(test.release, test.change)
		for i, s := range test.steps {
			r.at = r.at.Add(s.after)
			if got := r.report(s.subclass, s.offset); got != s.want {
				t.Errorf("%s: step %d: got %s, want %s", test.name, i+1, got, s.want)
			}
		}
		if got := r.queue.Counters().Duplicates; got != test.duplicates {
			t.Errorf("%s: erpt-duplicates: got %d, want %d", test.name, got, test.duplicates)
		}
	}
}

func TestForgetErrors(t *testing.T) {
	for name, forget := range map[string]struct {
		pool, vdev uint64
		want       string
	}{
		"of the vdev":      {0, 8, "posted"},
		"of the pool":      {7, 0, "posted"},
		"of another vdev":  {0, 9, "duplicate"},
		"of another pools": {6, 0, "duplicate"},
	} {
		r := newReporter(release24, nil)
		r.report("checksum", 1)
		r.queue.ForgetErrors(forget.pool, forget.vdev)
		if got := r.report("checksum", 1); got != forget.want {
			t.Errorf("%s: got %s, want %s", name, got, forget.want)
		}
	}
}

// A second lets through as many events as the parameter says; the count of the
// others goes to whoever reads next.
func TestRateLimits(t *testing.T) {
	tests := []struct {
		release  zevent.Release
		subclass string
		want     int
	}{
		{zevent.Release{Minor: 6, Patch: 5}, "checksum", 50},
		{zevent.Release{Minor: 7}, "checksum", 5},
		{zevent.Release{Minor: 8}, "delay", 20},
		{zevent.Release{Major: 2}, "deadman", 50},
		{zevent.Release{Major: 2, Minor: 1, Patch: 11}, "deadman", 20},
		{zevent.Release{Major: 2, Minor: 3, Patch: 2}, "deadman", 1},
		{release24, "checksum", 20},
		{release24, "dio_verify_wr", 50},
	}
	for _, test := range tests {
		r := newReporter(test.release, nil)
		posted := 0
		for offset := range 50 {
			if r.report(test.subclass, uint64(offset)) == "posted" {
				posted++
			}
		}
		if posted != test.want {
			t.Errorf("%v: %s: got %d of 50 in a second, want %d", test.release, test.subclass, posted, test.want)
		}
		r.at = r.at.Add(time.Second)
		if got := r.report(test.subclass, 50); got != "posted" {
			t.Errorf("%v: %s: a second later: got %s", test.release, test.subclass, got)
		}
		first, second := r.queue.Open(), r.queue.Open()
		_, dropped := read(t, first)
		_, later := read(t, second)
		if diff := cmp.Diff([]uint64{uint64(50 - test.want), 0}, []uint64{dropped[0], later[0]}); diff != "" {
			t.Errorf("%v: %s: dropped of two readers (-want +got):\n%s", test.release, test.subclass, diff)
		}
	}
}
