package headerinstall

import (
	"golang.org/x/sys/unix"
)

// merge makes one row of those that have one destination.
func (s *survey) merge(t *table) {
	t.digests = make([]Digest, len(t.rows))
	first := -1
	for i := 1; i < len(t.rows) && first < 0; i++ {
		if t.compare(i-1, i) == 0 {
			first = i - 1
		}
	}
	if first < 0 {
		return
	}
	w := newWorker()
	defer w.close()
	t.also = map[int32][]string{}
	kept := first
	for i := first; i < len(t.rows); kept++ {
		n := 1
		for i+n < len(t.rows) && t.compare(i, i+n) == 0 {
			n++
		}
		t.move(i, kept)
		if n > 1 {
			s.mergeSame(w, t, i, n, kept)
		}
		i += n
	}
	t.truncate(kept)
}

// mergeSame fills in the row kept for the n rows from i on, which must have one content.
func (s *survey) mergeSame(w *worker, t *table, i, n, kept int) {
	var sources []string
	var size int64
	var digest Digest
	differ := false
	for j := range n {
		h := t.header(i + j)
		sources = append(sources, h.written())
		ownSize, own, err := w.measure(h.source())
		if err != nil {
			s.problem(unreadable(h.written(), err))
			return
		}
		if j == 0 {
			size, digest = ownSize, own
		}
		differ = differ || own != digest
	}
	h := t.header(kept)
	*h.size(), *h.digest() = size, digest
	t.also[h.index] = sources[1:]
	if differ {
		s.problem(&Problem{Reason: Collision, Path: h.destination(), Detail: "has sources with different content", Sources: sources})
	}
}

// measure reads a source, and returns its size and digest.
func (w *worker) measure(s source) (size int64, digest Digest, err error) {
	fd, stat, err := w.open(s)
	if err != nil {
		return 0, digest, err
	}
	defer unix.Close(fd)
	if digest, err = w.digest(fd, stat.Size); err != nil {
		return 0, digest, err
	}
	return stat.Size, digest, unchanging(fd, &stat)
}
