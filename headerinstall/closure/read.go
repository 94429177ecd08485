package closure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// maxFileBytes bounds one file. The kernel's largest header, amdgpu's register masks, has 23 MB.
const maxFileBytes = 64 << 20

var (
	headerNames = []string{".h", ".hh", ".hpp", ".hxx"}
	sourceNames = append([]string{".c", ".S", ".cc", ".cpp", ".cxx"}, headerNames...)
)

// batchFiles is how many files a worker takes at once: passing a name on costs about as much as reading a small file.
const batchFiles = 64

// minBufferBytes holds most headers whole.
const minBufferBytes = 64 << 10

// files are the files of a directory.
type files struct {
	read    []*file
	exists  map[string]bool // every file, also one that was not read
	dirs    map[string]bool
	others  []string  // files without one of the extensions
	notRead []NotRead // what could not be read
	links   bool      // there are links to directories
}

// readFiles scans the files of a directory whose names end in one of extensions. Each worker keeps one file in memory.
func readFiles(ctx context.Context, dir fs.FS, extensions []string) (files, error) {
	found := files{exists: map[string]bool{}, dirs: map[string]bool{}}
	var mu sync.Mutex // of found.read and found.notRead
	skip := func(name, reason string) {
		mu.Lock()
		defer mu.Unlock()
		found.notRead = append(found.notRead, NotRead{name, reason})
	}

	batches := make(chan []string, runtime.GOMAXPROCS(0))
	workers, ctx := errgroup.WithContext(ctx)
	workers.Go(func() error {
		defer close(batches)
		var batch []string
		err := found.walk(dir, skip, func(name string) error {
			found.exists[name] = true
			if !slices.Contains(extensions, path.Ext(name)) {
				found.others = append(found.others, name)
				return nil
			}
			if batch = append(batch, name); len(batch) < batchFiles {
				return nil
			}
			full := batch
			batch = make([]string, 0, batchFiles)
			return send(ctx, batches, full)
		})
		if err != nil {
			return err
		}
		return send(ctx, batches, batch)
	})
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() error {
			var source []byte
			var s scanner
			var read []*file
			for batch := range batches {
				for _, name := range batch {
					var err error
					if source, err = readFile(dir, name, source); err != nil {
						skip(name, err.Error())
						continue
					}
					read = append(read, s.scan(name, source))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			found.read = append(found.read, read...)
			return nil
		})
	}
	err := workers.Wait()
	return found, err
}

func send(ctx context.Context, batches chan<- []string, batch []string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case batches <- batch:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// walk calls visit for every file below dir, or link to one.
func (f *files) walk(dir fs.FS, skip func(name, reason string), visit func(name string) error) error {
	return fs.WalkDir(dir, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && name == ".":
			return err
		case err != nil:
			skip(name, err.Error())
			return fs.SkipDir
		case entry.IsDir():
			f.dirs[name] = true
			return nil
		case entry.Type().IsRegular():
			return visit(name)
		case entry.Type() != fs.ModeSymlink:
			skip(name, "it is not a regular file")
			return nil
		}
		info, err := fs.Stat(dir, name)
		switch {
		case err != nil:
			skip(name, err.Error())
		case info.Mode().IsRegular():
			return visit(name)
		default:
			f.links = f.links || info.IsDir()
			skip(name, "it is a symbolic link to something that is not a regular file")
		}
		return nil
	})
}

// readFile reads a file into buffer, or into a larger one.
func readFile(dir fs.FS, name string, buffer []byte) ([]byte, error) {
	f, err := open(dir, name)
	if err != nil {
		return buffer, err
	}
	defer f.Close()
	buffer = slices.Grow(buffer[:0], minBufferBytes)
	for {
		n, err := f.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		switch {
		case errors.Is(err, io.EOF):
			return buffer, nil
		case err != nil:
			return buffer, err
		case len(buffer) > maxFileBytes:
			return buffer, fmt.Errorf("it is larger than %d MiB", maxFileBytes>>20)
		}
		if len(buffer) == cap(buffer) {
			buffer = slices.Grow(buffer, cap(buffer))
		}
	}
}

func open(dir fs.FS, name string) (io.ReadCloser, error) {
	if d, ok := dir.(dirFS); ok {
		return d.open(name)
	}
	return dir.Open(name)
}
