package emulator_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/emulator"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// The text follows from fm_printf and fm_nvprintr of 0.8: no piece reaches the
// 80th column, and a line within a list begins with a space.
func TestConsole(t *testing.T) {
	p := zevent.DefaultParameters(zevent.Release{Minor: 8, Patch: 6}, 4)
	p.Console = true
	var log strings.Builder
	q := emulator.NewModule(p, clock, &log)
	_, err := q.Post(nvlist.New(
		nvlist.Pair{Name: "class", Type: nvlist.String, Value: "ereport.fs.zfs.checksum"},
		nvlist.Pair{Name: "detector", Type: nvlist.NVList, Value: nvlist.New(
			nvlist.Pair{Name: "version", Type: nvlist.Uint8, Value: uint8(0)},
			nvlist.Pair{Name: "scheme", Type: nvlist.String, Value: "zfs"},
		)},
		nvlist.Pair{Name: "i8", Type: nvlist.Int8, Value: int8(-1)},
		nvlist.Pair{Name: "i8s", Type: nvlist.Int8Array, Value: []int8{-1}},
		nvlist.Pair{Name: "flag", Type: nvlist.Boolean},
		nvlist.Pair{Name: "yes", Type: nvlist.BooleanValue, Value: true},
		nvlist.Pair{Name: "paths", Type: nvlist.StringArray, Value: []string{"a"}},
	))
	if err != nil {
		t.Fatal(err)
	}
	want := `
ereport.fs.zfs.checksum detector=[ version=0x0 scheme="zfs" ] i8=0xff i8s=[ 
 0xffffffffffffffff ] flag= 1 yes=1 paths=[...] time=[ 0x6b0287bf 0x2bde7800 ]
 eid=0x1

`
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
