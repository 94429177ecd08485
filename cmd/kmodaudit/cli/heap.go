package cli

import (
	"io/fs"
	"path/filepath"

	"github.com/kmodaudit/kmodaudit/hugepage"
	"github.com/kmodaudit/kmodaudit/stackcheck"
)

// What builds take of the heap, at most and about. The 532 .su and .ci files of OpenZFS take 40 MiB with their paths, its zfs.ko of 6 MB
// 25, the 4,023 modules of a kernel 260, a vmlinux 45, and what OpenZFS calls of it 150 to 350.
const (
	heapOfFile   = 64 << 10
	heapOfByte   = 4         // of an object
	mostOfObject = 64 << 20  // since most of a large one is debug information, which is not read
	heapOfKernel = 192 << 20 // if it is called
	leastHeap    = 8 << 20   // less is not worth it
	mostHeap     = 512 << 20
)

// expectHeap is told which builds are read next, and which kernels they call.
func expectHeap(builds, kernels []string) {
	heap := 0
	for _, name := range builds {
		heap += heapOf(name)
	}
	for _, name := range kernels {
		if heapOf(name) >= leastHeap {
			heap += heapOfKernel
		}
	}
	if heap >= leastHeap {
		hugepage.Expect(min(heap, mostHeap))
	}
}

// heapOf looks no further when it is enough. What is wrong with a name will be told by who reads it. Archives count for nothing: the
// window that they are expanded with is large, mostly not used, and would be cleared.
func heapOf(name string) (heap int) {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	_ = filepath.WalkDir(name, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() && !entry.IsDir() {
			return nil
		}
		if heap >= mostHeap {
			return fs.SkipAll
		}
		switch {
		case entry.IsDir():
		case stackcheck.IsText(name):
			heap += heapOfFile
		case stackcheck.IsObject(name):
			heap += heapOfFile
			if info, err := entry.Info(); err == nil {
				heap += int(min(heapOfByte*info.Size(), mostOfObject))
			}
		}
		return nil
	})
	return heap
}
