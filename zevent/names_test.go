package zevent_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
	"github.com/kmodaudit/kmodaudit/zevent/nvlist"
)

// verbosePair is what a release's zpool events -v prints of one pair.
func verbosePair(version string, p nvlist.Pair) string {
	e := zevent.Event{Time: time.Unix(0, 0), Pairs: nvlist.New(p)}
	text := string(zevent.TextFormat{Verbose: true, Names: zevent.NamesOf(version)}.AppendEvent(nil, e))
	_, line, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(line)
}

func uint32Pair(name string, v uint32) nvlist.Pair {
	return nvlist.Pair{Name: name, Type: nvlist.Uint32, Value: v}
}

func flagsPair(v uint64) nvlist.Pair {
	return nvlist.Pair{Name: "zio_flags", Type: nvlist.Uint64, Value: v}
}

// TestNamesOfReleases has the values of include/sys/zio.h, zio_impl.h and
// fs/zfs.h of 2.3.5, 2.3.9 and 2.4.4.
func TestNamesOfReleases(t *testing.T) {
	const (
		v21, v22, v235, v239, v242, v244 = "2.1.11-1+deb12u1", "2.2.7-1", "2.3.5-2~bpo13+1", "2.3.9-0+deb13u1", "2.4.2-1", "2.4.4-1"
		newer, master, none              = "2.5.0-1", "2.4.99-300_gabcdef", ""
	)
	tests := []struct {
		pair nvlist.Pair
		want map[string]string // by version
	}{
		{uint32Pair("zio_stage", 1<<20), map[string]string{
			v21: "zio_stage = 0x100000", v22: "zio_stage = 0x100000", newer: "zio_stage = 0x100000", master: "zio_stage = 0x100000", none: "zio_stage = 0x100000",
			v235: "zio_stage = 0x100000 [READY]", v239: "zio_stage = 0x100000 [READY]", v244: "zio_stage = 0x100000 [READY]",
		}},
		{uint32Pair("zio_pipeline", 1<<9|1<<13), map[string]string{
			v235: "zio_pipeline = 0x2200 [BRT_FREE DDT_FREE]", v242: "zio_pipeline = 0x2200 [BRT_FREE DDT_FREE]",
			v239: "zio_pipeline = 0x2200 [DDT_READ_START BRT_FREE]", v244: "zio_pipeline = 0x2200 [DDT_READ_START BRT_FREE]",
		}},
		{uint32Pair("zio_pipeline", 0x1f00000), map[string]string{
			v239: "zio_pipeline = 0x1f00000 [READY VDEV_IO_START VDEV_IO_DONE VDEV_IO_ASSESS CHECKSUM_VERIFY]",
		}},
		{uint32Pair("zio_pipeline", 0xffffffff), map[string]string{ // zpool's buffer is full after 256 bytes
			v239: "zio_pipeline = 0xffffffff [OPEN READ_BP_INIT WRITE_BP_INIT FREE_BP_INIT ISSUE_ASYNC WRITE_COMPRESS ENCRYPT CHECKSUM_GENERATE NOP_WRITE" +
				" DDT_READ_START DDT_READ_DONE DDT_WRITE DDT_FREE BRT_FREE GANG_ASSEMBLE GANG_ISSUE DVA_THROTTLE DVA_ALLOCATE DVA_FREE DVA_CLAIM READY VDEV_IO_START]",
		}},
		{uint32Pair("zio_stage", 0), map[string]string{v21: "zio_stage = 0x0", v239: "zio_stage = 0x0 []"}},
		{uint32Pair("zio_stage", 1<<26|1<<27), map[string]string{v239: "zio_stage = 0xc000000 [DONE]"}},
		{flagsPair(1<<14 | 1<<20 | 1<<32), map[string]string{
			v235: "zio_flags = 0x100104000 [IO_ALLOCATING DONT_QUEUE DIO_CHKSUM_ERR]",
			v244: "zio_flags = 0x100104000 [ALLOC_THROTTLED DONT_QUEUE PREALLOCATED]",
			v22:  "zio_flags = 0x100104000", master: "zio_flags = 0x100104000",
		}},
		{flagsPair(1<<11 | 1<<31 | 1<<63), map[string]string{v239: "zio_flags = 0x8000000080000800 [[UNUSED 11] DELEGATED]"}},
		{nvlist.Pair{Name: "zio_flags", Type: nvlist.Int32, Value: int32(0x80)}, map[string]string{v239: "zio_flags = 0x80"}},
		{uint32Pair("zio_priority", 3), map[string]string{v21: "zio_priority = 0x3", v239: "zio_priority = 0x3 [ASYNC_WRITE]", v244: "zio_priority = 0x3 [ASYNC_WRITE]"}},
		{uint32Pair("zio_priority", 10), map[string]string{v239: "zio_priority = 0xa [NOW]"}},
		{uint32Pair("zio_priority", 11), map[string]string{v239: "zio_priority = 0xb []"}},
		{uint32Pair("zio_type", 2), map[string]string{v239: "zio_type = 0x2", v244: "zio_type = 0x2 [WRITE]", newer: "zio_type = 0x2"}},
		{uint32Pair("zio_type", 1<<31), map[string]string{v244: "zio_type = 0x80000000 []"}},
		{uint32Pair("zio_err", 1), map[string]string{v244: "zio_err = 0x1"}},
	}
	for _, test := range tests {
		for version, want := range test.want {
			if diff := cmp.Diff(want, verbosePair(version, test.pair)); diff != "" {
				t.Errorf("module %q (-want +got):\n%s", version, diff)
			}
		}
	}
}

// The names are as many as the release has bits and numbers.
func TestNamesEnd(t *testing.T) {
	for bit := range 32 {
		named := strings.HasSuffix(verbosePair("2.4.4", uint32Pair("zio_stage", 1<<bit)), "[]")
		if want := bit > 26; named != want {
			t.Errorf("bit %d of a stage: without a name %t, want %t", bit, named, want)
		}
	}
	for bit := range 64 {
		named := strings.HasSuffix(verbosePair("2.4.4", flagsPair(1<<bit)), "[]")
		if want := bit > 32; named != want {
			t.Errorf("bit %d of the flags: without a name %t, want %t", bit, named, want)
		}
	}
}
