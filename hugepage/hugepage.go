// Package hugepage lets the Go heap have huge pages, and be filled before it is collected.
//
// Where transparent_hugepage is "madvise", Linux gives huge pages to those who ask, and the Go runtime does not ask for its
// heap. A program that fills a large heap once, and ends, then takes a page fault for each 4 KiB of it. That is a
// microsecond or two each, several in a guest, and can be half of the program's time.
//
// In a virtual machine a huge page is the dearer one where the host has not given its memory yet: it is taken from what was never used,
// and a small one from what others gave back. So each is compared with what small ones take.
//
// See Documentation/admin-guide/mm/transhuge.rst of the kernel.
package hugepage

import (
	"bytes"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	settings = "/sys/kernel/mm/transparent_hugepage/"

	// largestPage bounds what the kernel may round the heap up to: 2 MiB is what x86-64 and arm64 have, but 512 MiB is it where
	// other pages have 64 KiB.
	largestPage = 4 << 20

	least      = 24 << 20 // of a heap: less is not worth it, since a huge page that the host has yet to give takes as long as 2,500 small ones
	mostAtOnce = 64 << 20 // that populate has be there, needed or not
)

// Expect is told before the heap grows by about so many bytes. It has it be filled before its garbage is collected, and from 24 MiB on use huge pages,
// if the kernel gives them to who asks only: the first 64 MiB are there when it returns, and of the rest, what is not needed is never touched. That takes
// about a millisecond.
func Expect(size int) {
	if size <= 0 || debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return
	}
	filling.Lock()
	defer filling.Unlock()
	percent := debug.SetGCPercent(-1)
	if percent == filling.until {
		percent = filling.then
	}
	if size >= least {
		useHugePages(size)
	}
	fillFirst(size, percent)
}

// useHugePages has the heap grow into memory for which huge pages were asked. The collector is off.
func useHugePages(size int) {
	page := pageSize()
	if page == 0 {
		return
	}
	// What cannot be had would end the program.
	probe, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil || unix.Munmap(probe) != nil {
		return
	}
	size += page // the heap begins within one
	start := advise(size)
	var populated sync.WaitGroup
	populated.Go(func() {
		runtime.LockOSThread() // for processorTime
		defer runtime.UnlockOSThread()
		longest := timeOfSmall() * time.Duration(page) / time.Duration(os.Getpagesize())
		populate(start, start+uintptr(size), uintptr(page), longest)
	})
	runtime.GC() // frees what was advised: the heap grows into it
	populated.Wait()
}

// filling is what fillFirst has set, as long as that holds.
var filling struct {
	sync.Mutex
	until int // the percentage that it has set
	then  int // the percentage that holds after it
	times int // that fillFirst was called
}

// A heap is collected for the first time when it has twice the expected size, within these bounds: what is small is not worth collecting in a program that
// ends soon, and what is larger has garbage enough.
const (
	leastFilled = 16 << 20
	mostFilled  = 64 << 20
)

// fillFirst has the heap grow to about twice a size before its garbage is collected for the first time: what a small heap leaves would be
// cleared twice, and be collected for nothing in a program that ends soon, as most have when they have filled what they need.
func fillFirst(size, percent int) {
	const atHundred = 4 << 20 // the heap that is collected first, at 100 percent
	filling.times++
	filling.until, filling.then = max(leastFilled, min(2*size, mostFilled))/(atHundred/100), percent
	if percent < 0 || filling.until <= percent {
		filling.until = percent
	}
	debug.SetGCPercent(filling.until)
	runtime.AddCleanup(new(*int), filled, filling.times) // when it has been collected
}

// filled ends what fillFirst began when it had been called so many times, unless it was called again, or the percentage was set by another.
func filled(times int) {
	filling.Lock()
	defer filling.Unlock()
	if times != filling.times {
		return
	}
	if now := debug.SetGCPercent(filling.then); now != filling.until {
		debug.SetGCPercent(now)
	}
	filling.until = filling.then
}

//go:noinline // so that the memory is free when it has returned
func advise(size int) (start uintptr) {
	heap := make([]byte, size)
	_ = unix.Madvise(heap, unix.MADV_HUGEPAGE) // if it fails, the pages are as small as they were
	return uintptr(unsafe.Pointer(unsafe.SliceData(heap)))
}

// populate has the huge pages of a part of the heap be there, whatever it is used for, until one takes longer than small ones would. Then
// the rest is not to have any.
func populate(start, end, page uintptr, longest time.Duration) {
	start = (start + page - 1) &^ (page - 1)
	for last := min(end, start+mostAtOnce); start+page <= last; start += page {
		before := processorTime()
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, start, page, unix.MADV_POPULATE_WRITE); errno != 0 {
			return // Linux has it since 5.14
		}
		if processorTime()-before > longest {
			rest := start + page
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, rest, end-rest, unix.MADV_NOHUGEPAGE)
			return
		}
	}
}

// timeOfSmall is what the first use of a page of the usual size takes, or for ever if that cannot be told.
func timeOfSmall() time.Duration {
	const pages = 16
	size := os.Getpagesize()
	memory, err := unix.Mmap(-1, 0, pages*size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return math.MaxInt32
	}
	before := processorTime()
	for at := 0; at < len(memory); at += size {
		memory[at] = 1
	}
	took := processorTime() - before
	_ = unix.Munmap(memory)
	return took / pages
}

// processorTime is that of this thread: others may run meanwhile.
func processorTime() time.Duration {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now) != nil {
		return 0
	}
	return time.Duration(now.Nano())
}

// Mode returns to whom the kernel gives huge pages: "always", "madvise" or "never"; nothing if it has none.
func Mode() string {
	text, _ := os.ReadFile(settings + "enabled") // as "always [madvise] never"
	_, mode, _ := strings.Cut(string(text), "[")
	mode, _, _ = strings.Cut(mode, "]")
	return mode
}

// pageSize returns that of the huge pages that are there for who asks only, or 0.
func pageSize() int {
	if Mode() != "madvise" {
		return 0
	}
	text, err := os.ReadFile(settings + "hpage_pmd_size")
	if err != nil {
		return 0
	}
	size, err := strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil || size > largestPage {
		return 0
	}
	return size
}
