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
	names    string        // of the entries, one behind the other
	entries  []listedEntry // sorted as the paths to and through them sort
	dirs     []*listedDir  // of the entries that are directories; nil if no program could open the path
	statuses []status      // of the entries that are candidates, if they were asked for
	err      error         // it cannot be listed
	isDest   bool          // it is the destination, and not listed
}

// listedEntry is an entry of a directory.
type listedEntry struct {
	nameLen uint16 // of its name, which is behind that of the entry before
	kind    byte   // a DT_ constant
}

// count is how many directories there are, this one among them, and how many other entries in them.
func (d *listedDir) count() (dirs, others int) {
	dirs, others = 1, len(d.entries)-len(d.dirs)
	for _, below := range d.dirs {
		if below != nil {
			n, m := below.count()
			dirs, others = dirs+n, others+m
		}
	}
	return dirs, others
}

// isCandidate tells the entries of which a status is listed: regular files that are called like a header.
func isCandidate(name string, kind byte) bool {
	return kind == unix.DT_REG && strings.HasSuffix(name, headerSuffix)
}

// status is what tells that a file was changed; zero if it is not known.
type status struct {
	size  int64
	mtime Timestamp
}

func newStatus(stat *unix.Stat_t) status { return status{stat.Size, newTimestamp(stat.Mtim)} }

// listTree lists a directory and all that is below it, several directories at once, and with withStatus what its headers
// are like: while a directory is open, that is the cheapest. Its error is only ever ctx's.
func listTree(ctx context.Context, root dir, isDest func(fileKey) bool, withStatus bool) (*listedDir, error) {
	l := lister{ctx: ctx, root: root, isDest: isDest, withStatus: withStatus, scratch: sync.Pool{New: func() any { return new(listing) }}}
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
	isDest  func(fileKey) bool
	scratch sync.Pool
	more    errgroup.Group

	withStatus bool
}

// listing is what a directory is listed with.
type listing struct {
	buf     [32 << 10]byte
	names   []byte
	entries []entryName // their names are parts of names
}

func (l *lister) list(d *listedDir, below string) {
	if l.ctx.Err() != nil {
		return
	}
	if d.err = l.read(d, below); d.err != nil {
		return
	}
	start := 0
	for _, e := range d.entries {
		name := d.names[start:][:e.nameLen]
		start += len(name)
		if e.kind != unix.DT_DIR {
			continue
		}
		if below != "." {
			name = below + "/" + name
		}
		if len(name) > maxPathBytes {
			d.dirs = append(d.dirs, nil)
			continue
		}
		sub := &listedDir{}
		d.dirs = append(d.dirs, sub)
		if !l.more.TryGo(func() error { l.list(sub, name); return nil }) {
			l.list(sub, name)
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
	if d.isDest = l.isDest(newFileKey(&stat)); d.isDest {
		return nil
	}
	s := l.scratch.Get().(*listing)
	defer l.scratch.Put(s)
	err = s.read(at)
	slices.SortFunc(s.entries, comparePaths)
	d.keep(s.entries)
	if l.withStatus {
		d.statuses = statuses(at, s.entries)
	}
	return err
}

// read takes the entries of a directory that has just been opened. Their names are there until the next read.
func (s *listing) read(at dir) error {
	s.names, s.entries = s.names[:0], s.entries[:0]
	err := at.each(s.buf[:], func(name []byte, kind byte) {
		if cap(s.names)-len(s.names) < len(name) { // those before stay where they are
			s.names = make([]byte, 0, max(len(s.buf), len(name)))
		}
		start := len(s.names)
		s.names = append(s.names, name...)
		s.entries = append(s.entries, entryName{asString(s.names[start:]), kind})
	})
	return err
}

// keep fills in the entries of a directory.
func (d *listedDir) keep(entries []entryName) {
	bytes := 0
	for _, e := range entries {
		bytes += len(e.name)
	}
	var names strings.Builder
	names.Grow(bytes)
	d.entries = make([]listedEntry, len(entries))
	for i, e := range entries {
		names.WriteString(e.name)
		d.entries[i] = listedEntry{uint16(len(e.name)), e.kind}
	}
	d.names = names.String()
}

// statuses returns those of the candidates among the entries, zero where it cannot be told.
func statuses(at dir, entries []entryName) (all []status) {
	n := 0
	for _, e := range entries {
		if isCandidate(e.name, e.kind) {
			n++
		}
	}
	all = make([]status, 0, n)
	for _, e := range entries {
		if !isCandidate(e.name, e.kind) {
			continue
		}
		var s status
		if stat, err := at.stat(e.name); err == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG {
			s = newStatus(&stat)
		}
		all = append(all, s)
	}
	return all
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
