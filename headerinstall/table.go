package headerinstall

import (
	"cmp"
	"io"
	"iter"
	"slices"
	"sort"
	"strings"
)

// table is headers, a row each: those that a plan installs, or those that were installed before. There may be tens of thousands
// of them: a row has its name in the listing of its directory, and what not all have is in columns beside the rows.
type table struct {
	dirs    []headerDir
	rows    []row              // sorted by destination once they have been found
	sizes   []int64            // of the rows, in bytes
	digests []Digest           // of the rows; zero is not known
	times   []times            // of the rows; nil without Config.TrustModTime
	modes   []Mode             // of the rows; nil if all have FileMode
	also    map[int32][]string // by row: further sources with the same content, in the order given
}

// headerDir is a directory that has headers, and where these go.
type headerDir struct {
	tree   *sourceTree
	from   string // what sources have before their name, as written
	to     string // what destinations have before their name: nothing, or a path and a slash
	names  string // has those of the headers, and other bytes
	source string // the name of the only source, if the destination has another
}

// below is the clean path of the directory in its tree.
func (d *headerDir) below() string {
	if len(d.from) <= len(d.tree.prefix) {
		return "."
	}
	return d.from[len(d.tree.prefix) : len(d.from)-1]
}

// row is a header: 12 bytes.
type row struct {
	dir     int32  // of the table's
	nameAt  uint32 // in the directory's names
	nameLen uint16
	action  rowAction
	flags   rowFlags
}

// rowFlags are what holds for a row.
type rowFlags uint8

const (
	isLink      rowFlags = 1 << iota // the source is a symbolic link
	needsRepair                      // the content is right, the mode or owner is not
	isAgain                          // the row before has the same destination: an earlier run has put that there
)

func (r *row) has(f rowFlags) bool { return r.flags&f != 0 }

// set sets a flag if it holds.
func (r *row) set(f rowFlags, holds bool) {
	if holds {
		r.flags |= f
	}
}

// rowAction is the Action of a row.
type rowAction uint8

const (
	undecided rowAction = iota
	rowNew
	rowChanged
	rowSame
	rowStale
	rowKept
)

var rowActions = [...]Action{undecided: "", rowNew: New, rowChanged: Changed, rowSame: Same, rowStale: Stale, rowKept: Kept}

// isWritten says whether an installation writes the header.
func (a rowAction) isWritten() bool { return a == rowNew || a == rowChanged }

// times are the mtimes of a source and of what is installed.
type times struct{ source, installed Timestamp }

// header is a row, with what belongs to it.
type header struct {
	*row
	table *table
	index int32
	dir   *headerDir
	name  string // of the destination, in its directory
}

func (t *table) header(i int) header {
	r := &t.rows[i]
	d := &t.dirs[r.dir]
	return header{row: r, table: t, index: int32(i), dir: d, name: d.names[r.nameAt:][:r.nameLen]}
}

func (h *header) destination() string { return h.dir.to + h.name }
func (h *header) written() string     { return h.dir.from + h.sourceName() }
func (h *header) sourceName() string  { return cmp.Or(h.dir.source, h.name) }
func (h *header) size() *int64        { return &h.table.sizes[h.index] }
func (h *header) digest() *Digest     { return &h.table.digests[h.index] }
func (h *header) source() source      { return source{h.dir, h.sourceName(), h.has(isLink)} }

func (h *header) mode() Mode {
	if h.table.modes == nil {
		return FileMode
	}
	return h.table.modes[h.index]
}

// setTimes notes mtimes for a later TrustModTime.
func (h *header) setTimes(t times) {
	if h.table.times != nil {
		h.table.times[h.index] = t
	}
}

// file is the header as a manifest has it, but for what stands before its names.
func (h *header) file() File {
	f := File{Destination: h.name, Source: h.sourceName(), Also: h.table.also[h.index], Size: *h.size(), Mode: h.mode(), SHA256: *h.digest()}
	if h.table.times != nil {
		f.SourceMtime, f.Mtime = h.table.times[h.index].source, h.table.times[h.index].installed
	}
	return f
}

// versions returns the sizes and digests of what runs have put at the destination, the first of them first.
func (h *header) versions() ([]int64, []Digest) {
	first := h.index
	for h.table.rows[first].has(isAgain) {
		first--
	}
	return h.table.sizes[first : h.index+1], h.table.digests[first : h.index+1]
}

func (h *header) entry() Entry {
	e := Entry{File: h.file(), Action: rowActions[h.action]}
	e.Destination, e.Source = h.destination(), h.written()
	return e
}

// headers yields all that f holds for, in their order. Of several rows with one destination it yields the last.
func (t *table) headers(f func(*row) bool) iter.Seq[header] {
	return func(yield func(header) bool) {
		for i := range t.rows {
			if t.isLast(i) && f(&t.rows[i]) && !yield(t.header(i)) {
				return
			}
		}
	}
}

// isLast says whether a row is the last with its destination.
func (t *table) isLast(i int) bool { return i+1 == len(t.rows) || !t.rows[i+1].has(isAgain) }

func anyRow(*row) bool { return true }

// directories adds the directories of the destination that lead to the headers that f holds for.
func (t *table) directories(dirs dirSet, f func(*row) bool) {
	last := int32(-1)
	for i := range t.rows {
		if r := &t.rows[i]; r.dir != last && f(r) {
			last = r.dir
			dirs.add(t.dirs[r.dir].dest())
		}
	}
}

// eachDir calls do with the directories of the destination that lead to the headers that wanted holds for, and the first of these in each:
// once, and after the directory that it lies in. The table is sorted.
func (t *table) eachDir(wanted func(*row) bool, do func(name string, first int) error) error {
	last, before := int32(-1), ""
	for i := range t.rows {
		r := &t.rows[i]
		if r.dir == last || !wanted(r) {
			continue
		}
		last = r.dir
		to := t.dirs[r.dir].to
		for at := commonDirs(before, to); at < len(to); {
			at += strings.IndexByte(to[at:], '/') + 1
			if err := do(to[:at-1], i); err != nil {
				return err
			}
		}
		before = to
	}
	return nil
}

// commonDirs is the length of what two paths that end in a slash have in common, as far as the last slash in it.
func commonDirs(a, b string) int {
	n := 0
	for i := 0; i < min(len(a), len(b)) && a[i] == b[i]; i++ {
		if a[i] == '/' {
			n = i + 1
		}
	}
	return n
}

// dest is the path of a directory in the destination.
func (d *headerDir) dest() string {
	if d.to == "" {
		return "."
	}
	return d.to[:len(d.to)-1]
}

// compare orders two rows by their destinations.
func (t *table) compare(i, j int) int {
	a, b := t.header(i), t.header(j)
	return compareJoined(a.dir.to, a.name, b.dir.to, b.name)
}

// writeManifest writes the manifest of the headers.
func (t *table) writeManifest(to io.Writer, strip int) error {
	w := newManifestWriter(to, strip)
	for h := range t.headers(anyRow) {
		f := h.file()
		if err := w.file(h.dir.to, h.dir.from, &f); err != nil {
			return err
		}
	}
	return w.end()
}

// sort puts the rows into the order of their destinations; those with one stay in the order in which they were found.
func (t *table) sort() {
	sorted := true
	for i := 1; i < len(t.rows) && sorted; i++ {
		sorted = t.compare(i-1, i) <= 0
	}
	if sorted { // as what one tree has mostly is
		return
	}
	order := make([]int32, len(t.rows))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(i, j int32) int { return t.compare(int(i), int(j)) })
	t.rows, t.sizes, t.digests = permuted(t.rows, order), permuted(t.sizes, order), permuted(t.digests, order)
	t.times, t.modes = permuted(t.times, order), permuted(t.modes, order)
	also := make(map[int32][]string, len(t.also))
	for i, from := range order {
		if sources, ok := t.also[from]; ok {
			also[int32(i)] = sources
		}
	}
	t.also = also
}

func permuted[T any](column []T, order []int32) []T {
	if column == nil {
		return nil
	}
	out := make([]T, len(order))
	for i, from := range order {
		out[i] = column[from]
	}
	return out
}

// move makes row j of row i, before it is known what is there.
func (t *table) move(i, j int) {
	t.rows[j], t.sizes[j] = t.rows[i], t.sizes[i]
	if t.times != nil {
		t.times[j] = t.times[i]
	}
}

// truncate leaves the first rows.
func (t *table) truncate(n int) {
	t.rows, t.sizes, t.digests = t.rows[:n], t.sizes[:n], t.digests[:n]
	if t.times != nil {
		t.times = t.times[:n]
	}
}

// find returns the row of the destination to+name.
func (t *table) find(to, name string) (i int, ok bool) {
	return sort.Find(len(t.rows), func(i int) int {
		h := t.header(i)
		return compareJoined(to, name, h.dir.to, h.name)
	})
}

// compareJoined compares a+b with c+d, and joins neither.
func compareJoined(a, b, c, d string) int {
	if len(a) > len(c) {
		return -compareJoined(c, d, a, b)
	}
	if order := strings.Compare(a, c[:len(a)]); order != 0 {
		return order
	}
	c = c[len(a):]
	n := min(len(b), len(c))
	if order := strings.Compare(b[:n], c[:n]); order != 0 {
		return order
	}
	if n < len(c) {
		return -1
	}
	return strings.Compare(b[n:], d)
}
