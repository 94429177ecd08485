package zpoolevents

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
)

func TestResultString(t *testing.T) {
	r := Result{
		Release: zevent.Release{Major: 2, Minor: 1, Patch: 11}, Kernel: "6.1.0-56-amd64", Events: 3,
		Raised:  map[string]int{"sysevent.fs.zfs.scrub_start": 1, "ereport.fs.zfs.io": 2},
		Missing: []Class{{Name: "ereport.fs.zfs.data", Why: unexplained}},
		Unknown: []string{"sysevent.fs.zfs.new"},
		Prints:  []Comparison{{Print: Print{utc, "-v"}, Recorded: true, Bytes: 100}, {Print: Print{}, Bytes: 40}},
	}
	const same = `OpenZFS 2.1.11 on Linux 6.1.0-56-amd64: 3 events of 2 classes
     2 ereport.fs.zfs.io
     1 sysevent.fs.zfs.scrub_start
  none ereport.fs.zfs.data: raise.sh has a step for it, which did not bring it about; see raise.log
       sysevent.fs.zfs.new is not known of this release; add it to endtoend/zpoolevents/classes.go
same        100 bytes  TZ=UTC zpool events -v, of the recording
same         40 bytes  zpool events, of the module's queue
`
	if diff := cmp.Diff(same, r.String()); diff != "" || !r.Same() {
		t.Errorf("(-want +got):\n%s", diff)
	}
	r = Result{Prints: []Comparison{
		{Print: Print{utc, "-H"}, Bytes: 9, Difference: &Difference{Class: "ereport.fs.zfs.io", EID: 31, Text: []byte("-a\n+b\n")}},
	}}
	const differs = `OpenZFS 0.0.0 on Linux : 0 events of 0 classes
DIFFERS       9 bytes  TZ=UTC zpool events -H, of the module's queue

The first difference of TZ=UTC zpool events -H, of the module's queue is in EID 31 (0x1f), ereport.fs.zfs.io:
-a
+b
`
	if diff := cmp.Diff(differs, r.String()); diff != "" || r.Same() {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
