// Package hugepage lets the Go heap have huge pages.
//
// Where transparent_hugepage is "madvise", Linux gives huge pages to those who ask, and the Go runtime does not ask for its
// heap. A program that fills a large heap once, and ends, then takes a page fault for each 4 KiB of it. That is a
// microsecond or two each, several in a guest, and can be half of the program's time.
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

	"golang.org/x/sys/unix"
)

const (
	settings = "/sys/kernel/mm/transparent_hugepage/"

	// largestPage bounds what the kernel may round the heap up to: 2 MiB is what x86-64 and arm64 have, but 512 MiB is it where
	// other pages have 64 KiB.
	largestPage = 4 << 20
)

// Expect is told before the heap grows by about so many bytes. It has the next part of it use huge pages, if the kernel gives them to
// who asks only, and be filled before its garbage is collected; what is not needed is never touched. It takes about a millisecond, and is not worth it for less than some megabytes.
func Expect(size int) {
	page := pageSize()
	if page == 0 || size < page || debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return
	}
	// What cannot be had would end the program.
	probe, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil || unix.Munmap(probe) != nil {
		return
	}
	filling.Lock()
	defer filling.Unlock()
	percent := debug.SetGCPercent(-1)
	if percent == filling.until {
		percent = filling.then
	}
	advise(size)
	runtime.GC() // frees what was advised: the heap grows into it
	fillFirst(size, percent)
}

// filling is what fillFirst has set, as long as that holds.
var filling struct {
	sync.Mutex
	until int // the percentage that it has set
	then  int // the percentage that holds after it
	times int // that fillFirst was called
}

// mostFilled bounds what fillFirst leaves: with more, a heap has garbage enough to be worth collecting.
const mostFilled = 64 << 20

// fillFirst has the heap grow to about a size before its garbage is collected for the first time: what a small heap leaves would be cleared
// twice, and be collected for nothing in a program that ends soon.
func fillFirst(size, percent int) {
	const least = 4 << 20 // the heap that is collected first, at 100 percent
	filling.times++
	filling.until, filling.then = min(size, mostFilled)/(least/100), percent
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
func advise(size int) {
	_ = unix.Madvise(make([]byte, size), unix.MADV_HUGEPAGE) // if it fails, the pages are as small as they were
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
