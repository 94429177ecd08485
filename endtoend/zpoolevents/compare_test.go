package zpoolevents

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// recorded returns a file of the pair of a release.
func recorded(t *testing.T, release, name string) []byte {
	t.Helper()
	packed, err := os.ReadFile(filepath.Join("../../testdata/openzfs-"+release, "every-class", name))
	if err != nil {
		t.Fatal(err)
	}
	d, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	data, err := d.DecodeAll(packed, nil)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func recordedEvents(t *testing.T, release string) []zevent.Event {
	t.Helper()
	name := filepath.Join(t.TempDir(), recordingName)
	if err := os.WriteFile(name, recorded(t, release, RecordingName), 0o600); err != nil {
		t.Fatal(err)
	}
	_, events, err := readEvents(name)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// A difference is found in the event that it is in, also behind strings that hold line ends, and where some events are left out.
func TestCompare(t *testing.T) {
	events := recordedEvents(t, "2.1.11")
	verbose, scripted := recorded(t, "2.1.11", VerboseName), recorded(t, "2.1.11", ScriptedName)
	if d := compare(Print{utc, "-v"}, verbose, bytes.Clone(verbose), events); d != nil {
		t.Errorf("the same texts differ: %+v", d)
	}
	if got := len(cutEvents(verbose)) - 1; got != len(events) {
		t.Errorf("cut into %d events, want %d", got, len(events))
	}
	last := events[len(events)-1]
	for name, test := range map[string]struct {
		print   Print
		zpool   []byte
		change  func([]byte) []byte
		class   string
		eid     uint64
		changed string
	}{
		"a value": {
			Print{utc, "-v"}, verbose,
			func(b []byte) []byte { return bytes.Replace(b, []byte("eid = 0x1ab\n"), []byte("eid = 0x1AB\n"), 1) },
			events[at(events, 0x1ab)].Class, 0x1ab, "+        eid = 0x1AB\n",
		},
		"a separator": {
			Print{utc, "-H"}, scripted,
			func(b []byte) []byte { return bytes.Replace(b, []byte("\t"), []byte(" "), 1) },
			events[0].Class, events[0].EID, "+",
		},
		"the last is missing": {
			Print{utc, "-H"}, scripted,
			func(b []byte) []byte { return b[:bytes.LastIndexByte(b[:len(b)-1], '\n')+1] },
			last.Class, last.EID, "-",
		},
		"the header": {
			Print{"", ""}, append([]byte("TIME                           CLASS\n"), scripted...),
			func(b []byte) []byte { return bytes.Replace(b, []byte("CLASS"), []byte("Class"), 1) },
			"", 0, "+TIME                           Class",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := compare(test.print, test.zpool, test.change(bytes.Clone(test.zpool)), events)
			if d == nil {
				t.Fatal("not seen")
			}
			if d.Class != test.class || d.EID != test.eid || !strings.Contains(string(d.Text), "\n"+test.changed) {
				t.Errorf("got EID %d of %s, want %d of %s:\n%s", d.EID, d.Class, test.eid, test.class, d.Text)
			}
		})
	}
}

func at(events []zevent.Event, eid uint64) int {
	for i, e := range events {
		if e.EID == eid {
			return i
		}
	}
	return 0
}

func TestCompareOfOnePool(t *testing.T) {
	events := []zevent.Event{
		inPool(t, "a", 1), inPool(t, "b", 2), inPool(t, "b", 3),
	}
	const line = "Nov 22 2026 06:12:15.736000000 c\n"
	d := compare(Print{utc, "-v b"}, []byte("TIME\n"+line+line), []byte("TIME\n"+line+line+" "), events)
	if d == nil || d.EID != 3 {
		t.Errorf("got %+v, want EID 3", d)
	}
}

func inPool(t *testing.T, pool string, eid uint64) zevent.Event {
	t.Helper()
	for _, e := range recordedEvents(t, "2.1.11") {
		if e.Pool == "tank" {
			for i, p := range e.Pairs.Pairs {
				if p.Name == "pool" {
					e.Pairs.Pairs[i].Value = pool
				}
			}
			e.EID, e.Raw = eid, nil
			return e
		}
	}
	t.Fatal("no event of tank")
	return zevent.Event{}
}

// The steps of raise.sh are for the classes that the guest is to post, and for no others.
func TestStepsAndClasses(t *testing.T) {
	script, err := os.ReadFile("raise/raise.sh")
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^step '([^',]*)`).FindAllSubmatch(script, -1) {
		for _, name := range strings.Fields(string(m[1])) {
			steps[name] = true
		}
	}
	want := map[string]bool{}
	for _, c := range classes {
		if c.Why == "" {
			want[c.Name[strings.Index(c.Name, ".fs.zfs.")+len(".fs.zfs."):]] = true
		}
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("(-classes +steps):\n%s", diff)
	}
}

// What real modules posted are classes of their release.
func TestCountClasses(t *testing.T) {
	for name, release := range map[string]zevent.Release{
		"2.1.11": {Major: 2, Minor: 1, Patch: 11}, "2.3.2": {Major: 2, Minor: 3, Patch: 2},
		"2.3.9": {Major: 2, Minor: 3, Patch: 9}, "2.4.4": {Major: 2, Minor: 4, Patch: 4},
	} {
		r := Result{Release: release}
		r.countClasses(recordedEvents(t, name))
		if len(r.Unknown) > 0 {
			t.Errorf("%s: not classes of it: %q", name, r.Unknown)
		}
		for _, c := range r.Missing {
			if c.Why == "" {
				t.Errorf("%s: nothing says why %s is missing", name, c.Name)
			}
		}
	}
}
