package cli

import (
	"io/fs"
	"path/filepath"

	"github.com/kmodaudit/kmodaudit/hugepage"
	"github.com/kmodaudit/kmodaudit/stackcheck"
)

// heapNeed is what builds take of the heap, at most and about, by what is wanted of them.
type heapNeed struct {
	file         int     // a file of text, or what every object takes
	objectByte   float64 // each byte of an object
	mostOfObject float64 // most of a large one is debug information, which is not read
}

// The frames of OpenZFS's zfs.ko of 6 MB take 5 MiB, those of the 4,023 modules of a kernel 240, those of a vmlinux 40, and
// 25,000 .su files with a million rows 360. With their calls the 532 .su and .ci files of OpenZFS take 40, zfs.ko 25, the modules 1,100, a
// vmlinux 200, and what OpenZFS calls of it 150 to 350.
var (
	needOfFrames = heapNeed{file: 16 << 10, objectByte: 0.6, mostOfObject: 32 << 20}
	needOfCalls  = heapNeed{file: 64 << 10, objectByte: 4, mostOfObject: 64 << 20}
)

const (
	heapOfKernel = 192 << 20 // if it is called
	leastKernel  = 6 << 20   // types alone, which are given in its place, need less
	mostHeap     = 512 << 20
)

// expectHeap is told which builds are read next, and which kernels they call.
func expectHeap(need heapNeed, builds, kernels []string) {
	heap := 0
	for _, name := range builds {
		heap += need.of(name)
	}
	for _, name := range kernels {
		if need.of(name) >= leastKernel {
			heap += heapOfKernel
		}
	}
	hugepage.Expect(min(heap, mostHeap))
}

// of is the need of a build. It looks no further when it is enough. What is wrong with a name will be told by who reads it. Archives count for nothing: the
// window that they are expanded with is large, mostly not used, and would be cleared.
func (need heapNeed) of(name string) (heap int) {
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
			heap += need.file
		case stackcheck.IsObject(name):
			heap += need.file
			if info, err := entry.Info(); err == nil {
				heap += int(min(need.objectByte*float64(info.Size()), need.mostOfObject))
			}
		}
		return nil
	})
	return heap
}
