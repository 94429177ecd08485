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
	sourceNames = append([]string{".c", ".cc", ".cpp", ".cxx"}, headerNames...)
)

// files are the files of a directory.
type files struct {
	read    []file
	exists  map[string]bool // every file, also one that was not read
	others  []string        // files without one of the extensions
	notRead []NotRead       // what could not be read
}

// readFiles scans the files of a directory whose names end in one of extensions. Each worker keeps one file in memory.
func readFiles(ctx context.Context, dir fs.FS, extensions []string) (files, error) {
	found := files{exists: map[string]bool{}}
	var mu sync.Mutex // of found.read and found.notRead
	skip := func(name, reason string) {
		mu.Lock()
		defer mu.Unlock()
		found.notRead = append(found.notRead, NotRead{name, reason})
	}

	names := make(chan string, 64)
	workers, ctx := errgroup.WithContext(ctx)
	workers.Go(func() error {
		defer close(names)
		return walk(dir, skip, func(name string) error {
			found.exists[name] = true
			if !slices.Contains(extensions, path.Ext(name)) {
				found.others = append(found.others, name)
				return nil
			}
			select {
			case names <- name:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	})
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() error {
			var source, scratch []byte
			for name := range names {
				var err error
				if source, err = readFile(dir, name, source); err != nil {
					skip(name, err.Error())
					continue
				}
				var f file
				f, scratch = scan(name, source, scratch)
				mu.Lock()
				found.read = append(found.read, f)
				mu.Unlock()
			}
			return nil
		})
	}
	err := workers.Wait()
	return found, err
}

// walk calls visit for every file below dir, or link to one.
func walk(dir fs.FS, skip func(name, reason string), visit func(name string) error) error {
	return fs.WalkDir(dir, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && name == ".":
			return err
		case err != nil:
			skip(name, err.Error())
			return fs.SkipDir
		case entry.IsDir():
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
			skip(name, "it is a symbolic link to something that is not a regular file")
		}
		return nil
	})
}

// readFile reads a file into buffer, or into a larger one.
func readFile(dir fs.FS, name string, buffer []byte) ([]byte, error) {
	f, err := dir.Open(name)
	if err != nil {
		return buffer, err
	}
	defer f.Close()
	buffer = slices.Grow(buffer[:0], 16<<10)
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
