package headerinstall

import (
	"context"
	"encoding/binary"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// listedDir is a directory of a source tree, with all that is below it.
type listedDir struct {
	entries  entryList   // sorted as the paths to and through them sort
	dirs     []listedDir // of the entries that are directories
	statuses []status    // of the entries that are candidates, if they were asked for
	err      error       // it cannot be listed
	others   int32       // entries that are no directories
	isDest   bool        // it is the destination, and not listed
	tooLong  bool        // no program could open its path: it is not listed
}

// entryList is entries of a directory, one behind the other: of each the DT_ constant of its kind and the length of its name, in two bytes,
// and its name. A kernel has tens of thousands of headers: a pointer to each name would take more than it.
type entryList string

// entryHead is how many bytes stand before a name, and lengthBits those of its length: no path, and so no name, has 4,096 bytes.
const (
	entryHead  = 2
	lengthBits = 12
)

// appendEntry appends an entry to what an entryList is made from.
func appendEntry(list []byte, name string, kind byte) []byte {
	return append(binary.LittleEndian.AppendUint16(list, uint16(kind)<<lengthBits|uint16(len(name))), name...)
}

// first returns the first of the entries, and how many bytes it takes.
func (l entryList) first() (name string, kind byte, size int) {
	head := uint16(l[0]) | uint16(l[1])<<8
	size = entryHead + int(head&(1<<lengthBits-1))
	return string(l[entryHead:size]), byte(head >> lengthBits), size
}

// all yields the entries by their names, with their kinds.
func (l entryList) all() iter.Seq2[string, byte] {
	return func(yield func(string, byte) bool) {
		for len(l) > 0 {
			name, kind, size := l.first()
			if !yield(name, kind) {
				return
			}
			l = l[size:]
		}
	}
}

// count is how many directories there are, this one among them, and how many other entries in them.
func (d *listedDir) count() (dirs, others int) {
	dirs, others = 1, int(d.others)
	for i := range d.dirs {
		n, m := d.dirs[i].count()
		dirs, others = dirs+n, others+m
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
	l := lister{root: root, isDest: isDest, withStatus: withStatus}
	l.wake.L = &l.mu
	top := &listedDir{}
	l.add(listTask{d: top, below: "."})
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), maxWorkers) {
		workers.Go(func() { l.work(ctx) })
	}
	workers.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return top, nil
}

// lister is what the workers that list a tree share.
type lister struct {
	root       dir
	isDest     func(fileKey) bool
	withStatus bool

	mu   sync.Mutex
	wake sync.Cond  // there are tasks, or there will be none
	todo []listTask // the last comes first, so that few directories are open at a time
	busy int        // tasks that are being done, and may lead to others
}

// listTask is a directory to list, or statuses to find in one that has been.
type listTask struct {
	d     *listedDir
	below string     // its path
	part  statusPart // if it has been listed
}

func (l *lister) add(tasks ...listTask) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.todo = append(l.todo, tasks...)
	for range tasks {
		l.wake.Signal()
	}
}

// work does tasks until there are none.
func (l *lister) work(ctx context.Context) {
	s := &listing{names: make([]byte, 0, 16<<10), entries: make([]foundEntry, 0, 1<<10), sorted: make([]byte, 0, 16<<10)} // of a directory of a thousand entries
	for t, ok := l.next(); ok; t, ok = l.next() {
		switch {
		case t.part.of != nil:
			t.part.find(ctx)
		case ctx.Err() == nil:
			l.list(s, t.d, t.below)
		}
		l.done()
	}
}

func (l *lister) next() (t listTask, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.todo) == 0 && l.busy > 0 {
		l.wake.Wait()
	}
	if len(l.todo) == 0 {
		return t, false
	}
	last := len(l.todo) - 1
	t, l.todo = l.todo[last], l.todo[:last]
	l.busy++
	return t, true
}

func (l *lister) done() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy--; l.busy == 0 && len(l.todo) == 0 {
		l.wake.Broadcast()
	}
}

// listing is what a worker lists directories with.
type listing struct {
	buf     [32 << 10]byte
	names   []byte
	entries []foundEntry
	sorted  []byte // the entries, as an entryList has them
	tasks   []listTask
}

// list lists a directory, and adds what there is to do for it.
func (l *lister) list(s *listing, d *listedDir, below string) {
	at, err := l.read(s, d, below)
	if d.err = err; err != nil {
		return
	}
	s.tasks = s.tasks[:0]
	next := 0
	for name, kind := range d.entries.all() {
		if kind != unix.DT_DIR {
			continue
		}
		sub := &d.dirs[next]
		next++
		if below != "." {
			name = below + "/" + name
		}
		if sub.tooLong = len(name) > maxPathBytes; !sub.tooLong {
			s.tasks = append(s.tasks, listTask{d: sub, below: name})
		}
	}
	if l.withStatus {
		s.statuses(d, at)
	} else {
		at.close()
	}
	l.add(s.tasks...)
}

// read fills in the entries of a directory, which stays open if there is no error.
func (l *lister) read(s *listing, d *listedDir, below string) (at dir, err error) {
	if at, err = l.root.sub(below); err != nil {
		return noDir, err
	}
	stat, err := at.statSelf()
	if err == nil {
		d.isDest = l.isDest(newFileKey(&stat))
	}
	if err == nil && !d.isDest {
		err = s.read(at)
	}
	if err != nil {
		at.close()
		return noDir, err
	}
	d.keep(s)
	return at, nil
}

// foundEntry is an entry of the directory that is being listed.
type foundEntry struct {
	nameAt  uint32 // in the listing's names
	nameLen uint16
	kind    byte // a DT_ constant
}

func (s *listing) name(e foundEntry) string { return asString(s.names[e.nameAt:][:e.nameLen]) }

// read takes the entries of a directory that has just been opened.
func (s *listing) read(at dir) error {
	s.names, s.entries = s.names[:0], s.entries[:0]
	return at.each(s.buf[:], func(name []byte, kind byte) {
		s.entries = append(s.entries, foundEntry{uint32(len(s.names)), uint16(len(name)), kind})
		s.names = append(s.names, name...)
	})
}

// keep fills in what has been read of a directory.
func (d *listedDir) keep(s *listing) {
	slices.SortFunc(s.entries, func(a, b foundEntry) int { return comparePaths(s.name(a), a.kind, s.name(b), b.kind) })
	dirs := 0
	s.sorted = s.sorted[:0]
	for _, e := range s.entries {
		s.sorted = appendEntry(s.sorted, s.name(e), e.kind)
		if e.kind == unix.DT_DIR {
			dirs++
		}
	}
	d.entries, d.others = entryList(s.sorted), int32(len(s.entries)-dirs)
	if dirs > 0 {
		d.dirs = make([]listedDir, dirs)
	}
}

// partEntries is how many candidates a worker finds the statuses of at a time: a kernel has more than a thousand headers in one directory,
// which would keep one worker busy while the others have nothing to do.
const partEntries = 128

// statusPart is entries of an open directory that statuses are to be found of.
type statusPart struct {
	of       *statusDir
	entries  entryList
	statuses []status // of the candidates among them
}

// statusDir is an open directory, with how many parts still need it.
type statusDir struct {
	dir
	parts atomic.Int32
}

// statuses adds the tasks of finding the statuses of a directory's candidates. The last of them closes the directory.
func (s *listing) statuses(d *listedDir, at dir) {
	n := 0
	for name, kind := range d.entries.all() {
		if isCandidate(name, kind) {
			n++
		}
	}
	if n == 0 {
		at.close()
		return
	}
	d.statuses = make([]status, n)
	of := &statusDir{dir: at}
	part := statusPart{of: of, entries: d.entries, statuses: d.statuses}
	first := len(s.tasks)
	for len(part.statuses) > partEntries {
		s.tasks = append(s.tasks, listTask{part: part.split()})
	}
	s.tasks = append(s.tasks, listTask{part: part})
	of.parts.Store(int32(len(s.tasks) - first))
}

// split takes partEntries candidates off the part.
func (p *statusPart) split() statusPart {
	first, n, end := *p, 0, 0
	for n < partEntries {
		name, kind, size := p.entries[end:].first()
		if isCandidate(name, kind) {
			n++
		}
		end += size
	}
	first.entries, first.statuses = p.entries[:end], p.statuses[:n]
	p.entries, p.statuses = p.entries[end:], p.statuses[n:]
	return first
}

// find fills in the statuses; they stay zero where they cannot be told.
func (p *statusPart) find(ctx context.Context) {
	defer func() {
		if p.of.parts.Add(-1) == 0 {
			p.of.close()
		}
	}()
	for name, kind := range p.entries.all() {
		if !isCandidate(name, kind) {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		if stat, err := p.of.stat(name); err == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG {
			p.statuses[0] = newStatus(&stat)
		}
		p.statuses = p.statuses[1:]
	}
}

// comparePaths compares entries of one directory, by their names and kinds, as paths to and through them: "a.h" comes before what is
// in the directory "a", since "." comes before "/".
func comparePaths(a string, aKind byte, b string, bKind byte) int {
	n := min(len(a), len(b))
	if c := strings.Compare(a[:n], b[:n]); c != 0 {
		return c
	}
	return int(pathByte(a, aKind, n)) - int(pathByte(b, bKind, n))
}

// pathByte returns a byte of a path through an entry, 0 behind its end.
func pathByte(name string, kind byte, i int) byte {
	switch {
	case i < len(name):
		return name[i]
	case kind == unix.DT_DIR:
		return '/'
	}
	return 0
}
