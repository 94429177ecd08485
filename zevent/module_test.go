package zevent_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
)

func sysfs(files ...string) fstest.MapFS {
	dir := fstest.MapFS{}
	for _, f := range files {
		name, text, _ := strings.Cut(f, "=")
		dir[name] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	return dir
}

func TestReadModule(t *testing.T) {
	tests := []struct {
		name string
		dir  fs.FS
		want zevent.Module
	}{
		{"2.1.11", sysfs("version=2.1.11-1+deb12u1", "parameters/zfs_zevent_len_max=1024", "parameters/zfs_slow_io_events_per_second=7"), zevent.Module{
			Version: "2.1.11-1+deb12u1",
			Parameters: zevent.Parameters{
				QueueEvents: 1024, RetainEvents: 2000, RetainSeconds: 900,
				DelayPerSecond: 7, ChecksumPerSecond: 20, DeadmanPerSecond: 7,
			},
		}},
		{"2.3.1", sysfs("version=2.3.1-1", "parameters/zfs_deadman_events_per_second=2", "parameters/zfs_zevent_retain_max=0"), zevent.Module{
			Version: "2.3.1-1",
			Parameters: zevent.Parameters{
				QueueEvents: 512, RetainSeconds: 900,
				DelayPerSecond: 20, ChecksumPerSecond: 20, DeadmanPerSecond: 2,
			},
		}},
		{"0.7.13", sysfs("version=0.7.13-1", "parameters/zfs_zevent_len_max=128", "parameters/zfs_zevent_console=1", "parameters/zfs_zevent_cols=132", "parameters/zfs_delays_per_second=6"), zevent.Module{
			Version: "0.7.13-1",
			Parameters: zevent.Parameters{
				QueueEvents: 128, Console: true, ConsoleColumns: 132,
				DelayPerSecond: 6, ChecksumPerSecond: 5, DeadmanPerSecond: zevent.NoLimit,
			},
		}},
	}
	for _, test := range tests {
		got, err := zevent.ReadModule(test.dir)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestReadModuleErrors(t *testing.T) {
	if _, err := zevent.ReadModule(fstest.MapFS{}); !errors.Is(err, zevent.ErrNoModule) {
		t.Errorf("no module: got error %v, want ErrNoModule", err)
	}
	if m, err := zevent.ReadModule(sysfs("version=unknown")); err == nil || m.Version != "unknown" {
		t.Errorf("bad version: got %q, %v", m.Version, err)
	}
	if _, err := zevent.ReadModule(sysfs("version=2.1.11-1", "parameters/zfs_zevent_len_max=many")); err == nil || !strings.Contains(err.Error(), "zfs_zevent_len_max") {
		t.Errorf("bad parameter: got error %v", err)
	}
}

func TestDefaultQueueLength(t *testing.T) {
	for want, r := range map[int]struct {
		zevent.Release
		cpus int
	}{
		64:  {zevent.Release{Major: 2, Minor: 0, Patch: 7}, 2},
		256: {zevent.Release{Minor: 8, Patch: 6}, 16},
		512: {zevent.Release{Major: 2, Minor: 1}, 128},
	} {
		if got := zevent.DefaultParameters(r.Release, r.cpus).QueueEvents; got != want {
			t.Errorf("%v on %d CPUs: got %d, want %d", r.Release, r.cpus, got, want)
		}
	}
}

func TestParseRelease(t *testing.T) {
	for version, want := range map[string]zevent.Release{
		"2.1.11-1":         {Major: 2, Minor: 1, Patch: 11},
		"0.6.5.11-1":       {Minor: 6, Patch: 5},
		"2.4.99-1_gabc123": {Major: 2, Minor: 4, Patch: 99},
	} {
		if got, err := zevent.ParseRelease(version); got != want || err != nil {
			t.Errorf("%s: got %v, %v", version, got, err)
		}
	}
	for _, version := range []string{"", "2.1", "two"} {
		if _, err := zevent.ParseRelease(version); err == nil {
			t.Errorf("%q: want an error", version)
		}
	}
	r := zevent.Release{Major: 2, Minor: 1, Patch: 11}
	if !r.AtLeast(2, 1, 0) || !r.AtLeast(0, 8, 6) || r.AtLeast(2, 2, 0) || r.String() != "2.1.11" {
		t.Errorf("order of %v", r)
	}
}
