package stackcheck

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"github.com/kmodaudit/kmodaudit/kmod"
)

// Bounds on what is read. The largest file of OpenZFS has 1.2 MB, all of them have 9.3 MB.
const (
	maxFileBytes    = 64 << 20  // one .su or .ci file
	maxArchiveBytes = 4 << 30   // all of an archive, decompressed
	maxWindowBytes  = 128 << 20 // of the zstd decoder; what zstd --long needs
)

// A File is a file of a build that tells of its stack: a .su or .ci file, an object or a snapshot.
type File struct {
	Path string // relative to the directory or archive, with slashes
	Name string // for messages: what to open to see the file

	Archived bool   // in an archive; it is a .su or .ci file
	Data     string // of such a file; others are read where they lie

	named bool // by the caller, and not found in a directory
}

// Content returns what is in a .su or .ci file.
func (f File) Content() (content string, err error) {
	err = f.use(func(text string) { content = strings.Clone(text) })
	return content, err
}

// use calls do with the Content, which may change when do has returned: the files of a build take turns in few buffers.
func (f File) use(do func(text string)) error {
	if f.Archived {
		do(f.Data)
		return nil
	}
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	var err error
	if *buf, err = readFile(f.Name, *buf); err != nil {
		return inFile(f.Name, err)
	}
	do(asString(*buf))
	return nil
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// Files yields what tells of the stack below a directory, sorted by path: .su and .ci files, and objects, which are .o
// files, kernel modules (.ko, also .ko.xz, .ko.zst and .ko.gz) and kernels (vmlinux, vmlinux-RELEASE). From an archive
// (.tar, also .tar.zst, .tar.xz, .tar.gz and .tgz) it yields the .su and .ci files in its order, or it yields the one file that is
// named, as an object if the name does not tell. Symbolic links below a directory are not followed. A file that cannot be
// read is yielded as an error, and the others still follow; after an error in an archive nothing does.
func Files(name string) iter.Seq2[File, error] {
	return func(yield func(File, error) bool) {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			yield(File{}, err)
		case info.IsDir():
			filesBelow(name, yield)
		case compressionOf(name) != "":
			archived(name, yield)
		case !info.Mode().IsRegular():
			yield(File{}, fmt.Errorf("%s: %v; want a directory or a file", name, info.Mode().Type()))
		default:
			yield(File{Path: filepath.Base(name), Name: name, named: true}, nil)
		}
	}
}

// IsText tells .su and .ci files by their names.
func IsText(name string) bool {
	ext := path.Ext(name)
	return ext == ".su" || ext == ".ci"
}

// IsObject tells objects by their names: .o files, kernel modules, and kernels.
func IsObject(name string) bool {
	base := path.Base(name)
	switch path.Ext(base) {
	case ".o", ".ko":
		return true
	case ".xz", ".zst", ".gz":
		return path.Ext(strings.TrimSuffix(base, path.Ext(base))) == ".ko"
	}
	return base == "vmlinux" || strings.HasPrefix(base, "vmlinux-")
}

// isLinked tells objects that were linked from others from those that the compiler wrote.
func isLinked(object string) bool { return path.Ext(object) != ".o" }

func inFile(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

func filesBelow(dir string, yield func(File, error) bool) {
	var found []string
	stopped := false
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			if stopped = !yield(File{}, inFile(filepath.Join(dir, name), err)); stopped {
				return fs.SkipAll
			}
			return fs.SkipDir
		}
		if entry.Type().IsRegular() && (IsText(name) || IsObject(name)) {
			found = append(found, name)
		}
		return nil
	})
	if err != nil || stopped {
		return
	}
	slices.Sort(found)
	for _, name := range found {
		if !yield(File{Path: name, Name: filepath.Join(dir, name)}, nil) {
			return
		}
	}
}

// readFile reads a .su or .ci file into buf, which grows as needed. It has to be a regular one: opening a fifo could take for ever.
func readFile(name string, buf []byte) ([]byte, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return buf, cause(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return buf, cause(err)
	}
	if !info.Mode().IsRegular() {
		return buf, fmt.Errorf("%v; want a regular file", info.Mode().Type())
	}
	buf, err = readAll(f, info.Size(), buf)
	return buf, cause(err)
}

// cause is an error of a file without its name.
func cause(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// readAll reads a file of which a size is known that it mostly has into buf, which grows as needed.
func readAll(r io.Reader, size int64, buf []byte) ([]byte, error) {
	buf = slices.Grow(buf[:0], int(min(max(size, 0), maxFileBytes))+1) // a byte more, to see the end
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case len(buf) > maxFileBytes:
			return buf, fmt.Errorf("larger than %d MiB, no compiler writes that much about one object", maxFileBytes>>20)
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return buf, err
		case len(buf) == cap(buf):
			buf = slices.Grow(buf, len(buf))
		}
	}
}

// asString returns what b holds, without a copy: it is good for as long as b is left as it is.
func asString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// archiveKinds are the ends of archives' names, each with the extension that says how it is compressed.
var archiveKinds = map[string]string{".tar": ".tar", ".tar.zst": ".zst", ".tar.xz": ".xz", ".tar.gz": ".gz", ".tgz": ".gz"}

// compressionOf returns that extension, or nothing for what is no archive by its name.
func compressionOf(name string) string {
	for end, ext := range archiveKinds {
		if strings.HasSuffix(name, end) {
			return ext
		}
	}
	return ""
}

func archived(archive string, yield func(File, error) bool) {
	f, err := os.Open(archive)
	if err != nil {
		yield(File{}, err)
		return
	}
	defer f.Close()
	filesIn(f, archive, yield)
}

func filesIn(r io.Reader, archive string, yield func(File, error) bool) {
	fail := func(err error) { yield(File{}, inFile(archive, err)) }
	expanded, err := kmod.Expand(r, compressionOf(archive), maxWindowBytes)
	if err != nil {
		fail(err)
		return
	}
	plain := &io.LimitedReader{R: expanded, N: maxArchiveBytes}
	entries := tar.NewReader(plain)
	seen := make(map[string]bool)
	for {
		entry, err := entries.Next()
		if plain.N <= 0 {
			fail(fmt.Errorf("larger than %d GiB when decompressed", maxArchiveBytes>>30))
			return
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			fail(err)
			return
		}
		name := strings.TrimPrefix(path.Clean("/"+entry.Name), "/")
		if entry.Typeflag != tar.TypeReg || !IsText(name) {
			continue
		}
		if seen[name] {
			fail(fmt.Errorf("has %s twice, and its frames would count twice; make the archive anew", name))
			return
		}
		seen[name] = true
		full := archive + "/" + name
		data, err := readAll(entries, entry.Size, nil)
		if !yield(File{Path: name, Name: full, Archived: true, Data: asString(data)}, inFile(full, err)) || err != nil {
			return
		}
	}
}
