package hugepage

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// What is allocated next lies in memory for which huge pages were asked.
func TestExpect(t *testing.T) {
	if pageSize() == 0 {
		t.Skip("this kernel does not give huge pages to who asks only (" + settings + "enabled)")
	}
	const size = 64 << 20
	Expect(size)
	if !advised(t, make([]byte, size/2)) {
		t.Error("no huge pages were asked for")
	}
}

// The heap is filled before it is collected for the first time, and collected as before after that.
func TestExpectFills(t *testing.T) {
	if pageSize() == 0 {
		t.Skip("this kernel does not give huge pages to who asks only (" + settings + "enabled)")
	}
	const percent, size = 150, 32 << 20
	defer debug.SetGCPercent(debug.SetGCPercent(percent))
	Expect(size)
	var stats runtime.MemStats
	if runtime.ReadMemStats(&stats); stats.NextGC < size*9/10 {
		t.Errorf("the heap is collected at %d bytes, want about %d", stats.NextGC, size)
	}
	gogc := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	for range 1000 {
		runtime.GC()
		if metrics.Read(gogc); gogc[0].Value.Uint64() == percent {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("after it has been collected, it may grow by %d%%, want %d%%", gogc[0].Value.Uint64(), percent)
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

// advised says whether the mapping of what is in the middle has the flag of MADV_HUGEPAGE (proc_pid_smaps(5)). The first of it may lie
// in what was left before.
func advised(t *testing.T, b []byte) bool {
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
			return strings.Contains(string(flags)+" ", " hg ")
		}
	}
	t.Fatal("the memory is in no mapping")
	return false
}
