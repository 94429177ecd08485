package headerinstall

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// listedDir is a directory of a source tree, with all that is below it.
type listedDir struct {
	entries []listedEntry // sorted as the paths to and through them sort
	err     error         // it cannot be listed
	isDest  bool          // it is the destination, and not listed
}

type listedEntry struct {
	entryName
	status status     // of a regular file that is called like a header, if it was asked for
	dir    *listedDir // nil if it is none, or if no program could open its path
}

// status is what tells that a file was changed; zero if it is not known.
type status struct {
	size  int64
	mtime Timestamp
}

func newStatus(stat *unix.Stat_t) status { return status{stat.Size, newTimestamp(stat.Mtim)} }

// listTree lists a directory and all that is below it, several directories at once, and with withStatus what its headers
// are like: while a directory is open, that is the cheapest. Its error is only ever ctx's.
func listTree(ctx context.Context, root dir, isDest func(*unix.Stat_t) bool, withStatus bool) (*listedDir, error) {
	l := lister{ctx: ctx, root: root, isDest: isDest, withStatus: withStatus, buffers: sync.Pool{New: func() any { return new([32 << 10]byte) }}}
	l.more.SetLimit(max(1, runtime.GOMAXPROCS(0)-1)) // besides this goroutine
	top := &listedDir{}
	l.list(top, ".")
	_ = l.more.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return top, nil
}

type lister struct {
	ctx     context.Context
	root    dir
	isDest  func(*unix.Stat_t) bool
	buffers sync.Pool
	more    errgroup.Group

	withStatus bool
}

func (l *lister) list(d *listedDir, below string) {
	if l.ctx.Err() != nil {
		return
	}
	if d.err = l.read(d, below); d.err != nil {
		return
	}
	for i := range d.entries {
		e := &d.entries[i]
		if e.kind != unix.DT_DIR {
			continue
		}
		name := e.name
		if below != "." {
			name = below + "/" + name
		}
		if len(name) > maxPathBytes {
			continue
		}
		e.dir = &listedDir{}
		if !l.more.TryGo(func() error { l.list(e.dir, name); return nil }) {
			l.list(e.dir, name)
		}
	}
}

func (l *lister) read(d *listedDir, below string) error {
	at, err := l.root.sub(below)
	if err != nil {
		return err
	}
	defer at.close()
	stat, err := at.stat(".")
	if err != nil {
		return err
	}
	if d.isDest = l.isDest(&stat); d.isDest {
		return nil
	}
	buf := l.buffers.Get().(*[32 << 10]byte)
	defer l.buffers.Put(buf)
	entries, err := at.list(buf[:])
	slices.SortFunc(entries, comparePaths)
	d.entries = make([]listedEntry, len(entries))
	for i, e := range entries {
		d.entries[i].entryName = e
		if l.withStatus && e.kind == unix.DT_REG && strings.HasSuffix(e.name, headerSuffix) {
			if stat, err := at.stat(e.name); err == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG {
				d.entries[i].status = newStatus(&stat)
			}
		}
	}
	return err
}

// comparePaths compares entries of one directory as paths to and through them: "a.h" comes before what is
// in the directory "a", since "." comes before "/".
func comparePaths(a, b entryName) int {
	n := min(len(a.name), len(b.name))
	if c := strings.Compare(a.name[:n], b.name[:n]); c != 0 {
		return c
	}
	return int(a.byteAt(n)) - int(b.byteAt(n))
}

func (e entryName) byteAt(i int) byte {
	switch {
	case i < len(e.name):
		return e.name[i]
	case e.kind == unix.DT_DIR:
		return '/'
	}
	return 0
}
