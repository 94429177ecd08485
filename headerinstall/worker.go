package headerinstall

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// bufferBytes holds most headers whole: a kernel's have 6.5 KB on average.
const bufferBytes = 128 << 10

// maxWorkers bounds how many directories are worked on at a time. File systems lock a directory while a
// name is added to it, so that more workers only wait for each other.
const maxWorkers = 8

// worker is what one goroutine reads files with.
type worker struct {
	a, b     []byte // made when first needed: comparing times reads nothing
	hash     hash.Hash
	digested Digest // what sum returns: a new one would be on the heap each time

	// The directory that the last source was opened in: the next one is mostly beside it.
	tree    *sourceTree
	treeDir dir
	at      *headerDir
	dir     dir
}

// each hands out work to several workers at once. It stops at the first error, or when ctx is done.
func each[T any](ctx context.Context, work []T, do func(*worker, T) error) error {
	var next atomic.Int64
	return inParallel(ctx, len(work), func(ctx context.Context, w *worker) error {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(work) {
				return nil
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := do(w, work[i]); err != nil {
				return err
			}
		}
	})
}

// inParallel has several workers run at once, no more than most. The context of all ends with the first error.
func inParallel(ctx context.Context, most int, run func(context.Context, *worker) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), maxWorkers, most) {
		group.Go(func() error {
			w := newWorker()
			defer w.close()
			return run(ctx, w)
		})
	}
	return group.Wait()
}

func newWorker() *worker {
	return &worker{hash: sha256.New(), treeDir: noDir, dir: noDir}
}

func (w *worker) close() {
	w.treeDir.close()
	w.dir.close()
	w.tree, w.treeDir, w.at, w.dir = nil, noDir, nil, noDir
}

// in opens a directory of sources, which is the worker's to close.
func (w *worker) in(d *headerDir) (dir, error) {
	if w.at == d && w.dir.exists() {
		return w.dir, nil
	}
	if w.tree != d.tree {
		w.close()
		treeDir, err := openDir(d.tree.name)
		if err != nil {
			return noDir, err
		}
		w.tree, w.treeDir = d.tree, treeDir
	}
	w.dir.close()
	w.at = d
	var err error
	w.dir, err = w.treeDir.sub(d.below())
	return w.dir, err
}

// mayOpen returns the error that opening a source for reading ends with, if it does.
func (w *worker) mayOpen(s source) error {
	if isRoot && !s.link { // root may read what is there, and it has just been listed
		return nil
	}
	fd, _, err := w.open(s)
	if err == nil {
		closeFD(fd)
	}
	return err
}

// status returns that of a source, which is a regular file.
func (w *worker) status(s source) (status, error) {
	fd, stat, err := w.open(s)
	if err != nil {
		return status{}, err
	}
	closeFD(fd)
	return newStatus(&stat), nil
}

// open opens a source for reading, and checks that it is a regular file.
func (w *worker) open(s source) (fd int, stat unix.Stat_t, err error) {
	if s.link {
		fd, err = openLink(s.dir.tree.name, s.below())
	} else {
		var d dir
		if d, err = w.in(s.dir); err == nil {
			fd, err = d.open(s.name)
		}
	}
	if err != nil {
		return -1, stat, err
	}
	return checkRegular(fd)
}

// openLink opens what a symbolic link in a source tree leads to, which has to be in that tree.
func openLink(tree, below string) (fd int, err error) {
	root, err := os.OpenRoot(tree)
	if err != nil {
		return -1, err
	}
	defer root.Close()
	f, err := root.OpenFile(below, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, linkError(root, below, err)
	}
	defer f.Close()
	return unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
}

// linkError says why what may be a symbolic link cannot be opened. The root's error for a link that leaves it is
// none that can be told by its type.
func linkError(root *os.Root, below string, err error) error {
	info, statErr := root.Lstat(below)
	switch {
	case statErr != nil:
		return statErr
	case info.Mode().Type() != fs.ModeSymlink || errors.Is(err, fs.ErrPermission):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return notRegularError("a symbolic link that leads nowhere")
	}
	return notRegularError("a symbolic link that leaves its source")
}

// checkRegular closes a file that is not a regular one.
func checkRegular(fd int) (int, unix.Stat_t, error) {
	var stat unix.Stat_t
	err := statFD(fd, &stat)
	if err == nil && stat.Mode&unix.S_IFMT != unix.S_IFREG {
		err = notRegular(&stat)
	}
	if err != nil {
		closeFD(fd)
		return -1, stat, err
	}
	return fd, stat, nil
}

// notRegularError is a file that is not a regular one, by what it is.
type notRegularError string

func (e notRegularError) Error() string { return "is " + string(e) }

func notRegular(stat *unix.Stat_t) error { return notRegularError(kind(modeOf(stat))) }

// read reads into all of buf, as far as the file goes.
func read(fd int, buf []byte) (n int, err error) {
	for n < len(buf) {
		m, err := readFD(fd, buf[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return n, err
		}
		if m == 0 {
			break
		}
		n += m
	}
	return n, nil
}

// readSized is read for a file that has size bytes left: it does not ask for more once it has them,
// but has room to notice one more.
func readSized(fd int, buf []byte, size int64) (n int, err error) {
	if size >= int64(len(buf)) {
		return read(fd, buf)
	}
	for {
		n, err = readFD(fd, buf)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil || int64(n) == size {
		return max(n, 0), err
	}
	rest, err := read(fd, buf[n:])
	return n + rest, err
}

// buffer returns one that the worker reads with.
func (w *worker) buffer() []byte {
	if w.a == nil {
		w.a = make([]byte, bufferBytes)
	}
	return w.a
}

// blocks calls do with the content of a file of the given size, piece by piece.
func (w *worker) blocks(fd int, size int64, do func(block []byte) error) error {
	buf := w.buffer()
	for left := size; ; {
		n, err := readSized(fd, buf, left)
		if err != nil {
			return err
		}
		if err := do(buf[:n]); err != nil {
			return err
		}
		left -= int64(n)
		if left < 0 {
			return errChanging
		}
		if n < len(buf) || left == 0 {
			return nil
		}
	}
}

// digest returns the digest of a file of the given size.
func (w *worker) digest(fd int, size int64) (Digest, error) {
	w.hash.Reset()
	err := w.blocks(fd, size, func(block []byte) error { w.hash.Write(block); return nil })
	return w.sum(), err
}

func (w *worker) sum() Digest {
	w.hash.Sum(w.digested[:0])
	return w.digested
}

// compare says whether two files of the given size have the same content. With hashed, sum has the digest
// of that content then.
func (w *worker) compare(a, b int, size int64, hashed bool) (same bool, err error) {
	if w.b == nil {
		w.b = make([]byte, bufferBytes)
	}
	w.hash.Reset()
	err = w.blocks(a, size, func(block []byte) error {
		n, err := readSized(b, w.b[:len(block)], int64(len(block)))
		if err != nil {
			return err
		}
		if !bytes.Equal(block, w.b[:n]) {
			return io.EOF
		}
		if hashed {
			w.hash.Write(block)
		}
		return nil
	})
	if err == io.EOF {
		return false, nil
	}
	return err == nil, err
}

// unchanging returns an error if a file is not as it was when it was opened.
func unchanging(fd int, before *unix.Stat_t) error {
	var now unix.Stat_t
	if err := statFD(fd, &now); err != nil {
		return err
	}
	if now.Size != before.Size || now.Mtim != before.Mtim || now.Ctim != before.Ctim {
		return errChanging
	}
	return nil
}

// kind names a file's type for a message.
func kind(mode fs.FileMode) string {
	switch mode.Type() {
	case 0:
		return "a regular file"
	case fs.ModeDir:
		return "a directory"
	case fs.ModeSymlink:
		return "a symbolic link"
	case fs.ModeNamedPipe:
		return "a fifo"
	case fs.ModeSocket:
		return "a socket"
	}
	return "a device"
}
