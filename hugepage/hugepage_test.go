package hugepage

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What is allocated next lies in memory for which huge pages were asked.
func TestExpect(t *testing.T) {
	if pageSize() == 0 {
		t.Skip("this kernel does not give huge pages to who asks only (" + settings + "enabled)")
	}
	const size = 64 << 20
	Expect(size)
	if heap := make([]byte, size/2); !hasFlag(t, heap, "hg") && !hasFlag(t, heap, "nh") {
		t.Error("no huge pages were asked for, nor given up")
	}
}

// Huge pages are taken as long as none takes longer than small ones do.
func TestPopulate(t *testing.T) {
	page := pageSize()
	if page == 0 {
		t.Skip("this kernel does not give huge pages to who asks only (" + settings + "enabled)")
	}
	for longest, flag := range map[time.Duration]string{time.Hour: "hg", -1: "nh"} {
		memory, err := unix.Mmap(-1, 0, 16*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Madvise(memory, unix.MADV_HUGEPAGE); err != nil {
			t.Fatal(err)
		}
		start := uintptr(unsafe.Pointer(&memory[0]))
		populate(start, start+uintptr(len(memory)), uintptr(page), longest)
		if !hasFlag(t, memory, flag) {
			t.Errorf("with %v as what small pages take, the middle of the memory has no flag %s", longest, flag)
		}
		var there [1]byte
		at := (start + uintptr(8*page)) &^ (uintptr(page) - 1)
		if _, _, errno := unix.Syscall(unix.SYS_MINCORE, at, 1, uintptr(unsafe.Pointer(&there))); errno != 0 {
			t.Fatal(errno)
		}
		if got, want := there[0]&1 == 1, flag == "hg"; got != want {
			t.Errorf("with %v as what small pages take, the middle of the memory is there: %v, want %v", longest, got, want)
		}
		if err := unix.Munmap(memory); err != nil {
			t.Fatal(err)
		}
	}
}

// The heap is filled before it is collected for the first time, and collected as before after that.
func TestExpectFills(t *testing.T) {
	const percent = 150
	defer debug.SetGCPercent(debug.SetGCPercent(percent))
	for expected, filled := range map[int]uint64{1: leastFilled, 20 << 20: 40 << 20, 1 << 30: mostFilled} {
		Expect(expected)
		var stats runtime.MemStats
		if runtime.ReadMemStats(&stats); stats.NextGC < filled*9/10 {
			t.Errorf("of a heap of %d bytes: it is collected at %d, want about %d", expected, stats.NextGC, filled)
		}
		if got := percentAfter(percent); got != percent {
			t.Errorf("of a heap of %d bytes: after it has been collected, it may grow by %d%%, want %d%%", expected, got, percent)
		}
	}
}

// percentAfter collects the heap until it may grow by a percentage, or long enough, and returns by how much it may.
func percentAfter(want uint64) uint64 {
	gogc := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	for range 1000 {
		runtime.GC()
		if metrics.Read(gogc); gogc[0].Value.Uint64() == want {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return gogc[0].Value.Uint64()
}

// What is not worth it, or cannot be had, leaves the heap alone.
func TestExpectNothing(t *testing.T) {
	var before, after runtime.MemStats
	for _, size := range []int{-1, 0, 1000, 1 << 60} {
		runtime.ReadMemStats(&before)
		Expect(size)
		if runtime.ReadMemStats(&after); after.NumForcedGC > before.NumForcedGC {
			t.Errorf("the heap was prepared for %d bytes", size)
		}
	}
}

// hasFlag says whether the mapping of what is in the middle has a flag of proc_pid_smaps(5). The first of it may lie
// in what was left before.
func hasFlag(t *testing.T, b []byte, flag string) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	at := uintptr(unsafe.Pointer(&b[len(b)/2]))
	defer runtime.KeepAlive(b)
	header := regexp.MustCompile(`^([0-9a-f]+)-([0-9a-f]+) `)
	inside := false
	for line := range bytes.Lines(text) {
		if m := header.FindSubmatch(line); m != nil {
			var from, to uintptr
			fmt.Sscanf(string(m[1])+" "+string(m[2]), "%x %x", &from, &to)
			inside = from <= at && at < to
		}
		if flags, ok := bytes.CutPrefix(line, []byte("VmFlags:")); ok && inside {
			return slices.Contains(strings.Fields(string(flags)), flag)
		}
	}
	t.Fatal("the memory is in no mapping")
	return false
}
