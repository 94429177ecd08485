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

	"golang.org/x/sys/unix"
)

const (
	settings = "/sys/kernel/mm/transparent_hugepage/"

	// largestPage bounds what the kernel may round the heap up to: 2 MiB is what x86-64 and arm64 have, but 512 MiB is it where
	// other pages have 64 KiB.
	largestPage = 4 << 20
)

// Expect is told before the heap grows by about so many bytes. It has the next part of it use huge pages, if the kernel gives them to
// who asks only; what is not needed is never touched. It takes about a millisecond, and is not worth it for less than some megabytes.
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
	percent := debug.SetGCPercent(-1)
	advise(size)
	runtime.GC() // frees what was advised: the heap grows into it
	debug.SetGCPercent(percent)
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
