package headerinstall

import (
	"path"
	"strings"
)

// recorder makes a table of what was installed.
type recorder struct {
	made  table
	names []byte // of all headers, one behind the other
	dirs  map[headerPlace]int32
	at    headerPlace // of the header that was added last, which is mostly that of the next
	dir   int32       // of made's, at that place
}

// headerPlace tells one headerDir of what was installed from the others.
type headerPlace struct{ to, from, source string }

// newRecorder makes one for what a manifest of so many bytes lists. Memory that is not needed is never touched.
func newRecorder(manifestBytes int64) recorder {
	const leastLine = 144 // bytes of a header
	n := manifestBytes / leastLine
	return recorder{
		made:  table{rows: make([]row, 0, n), sizes: make([]int64, 0, n), digests: make([]Digest, 0, n)},
		names: make([]byte, 0, manifestBytes/8),
	}
}

// add adds a header, and copies its strings.
func (r *recorder) add(f *File) {
	t := &r.made
	i := int32(len(t.rows))
	place, name := headerPlace{}, ""
	place.to, name = path.Split(f.Destination)
	place.from, place.source = path.Split(f.Source)
	if place.source == name {
		place.source = ""
	}
	if place != r.at || i == 0 {
		r.dir = r.find(place)
		r.at = r.place(r.dir)
	}
	t.rows = append(t.rows, row{dir: r.dir, nameAt: uint32(len(r.names)), nameLen: uint16(len(name))})
	t.sizes = append(t.sizes, f.Size)
	r.names = append(r.names, name...)
	t.digests = append(t.digests, f.SHA256)
	if len(f.Also) > 0 {
		if t.also == nil {
			t.also = map[int32][]string{}
		}
		for _, source := range f.Also {
			t.also[i] = append(t.also[i], strings.Clone(source))
		}
	}
	if t.times == nil && (f.SourceMtime != 0 || f.Mtime != 0) {
		t.times = make([]times, i, cap(t.rows))
	}
	if t.times != nil {
		t.times = append(t.times, times{f.SourceMtime, f.Mtime})
	}
	if t.modes == nil && f.Mode != FileMode {
		t.modes = make([]Mode, i, cap(t.rows))
		for j := range t.modes {
			t.modes[j] = FileMode
		}
	}
	if t.modes != nil {
		t.modes = append(t.modes, f.Mode)
	}
}

func (r *recorder) place(dir int32) headerPlace {
	d := &r.made.dirs[dir]
	return headerPlace{d.to, d.from, d.source}
}

// find returns the directory at a place.
func (r *recorder) find(p headerPlace) int32 {
	if dir, ok := r.dirs[p]; ok {
		return dir
	}
	if r.dirs == nil {
		r.dirs = map[headerPlace]int32{}
	}
	dir := int32(len(r.made.dirs))
	r.made.dirs = append(r.made.dirs, headerDir{to: strings.Clone(p.to), from: strings.Clone(p.from), source: strings.Clone(p.source)})
	r.dirs[r.place(dir)] = dir
	return dir
}

// table returns what was added, sorted; of one destination in the order in which it was added. Nothing can be added after it.
func (r *recorder) table() table {
	t := r.made
	names := asString(r.names)
	for i := range t.dirs {
		t.dirs[i].names = names
	}
	t.sort()
	for i := 1; i < len(t.rows); i++ {
		t.rows[i].set(isAgain, t.compare(i-1, i) == 0)
	}
	return t
}
