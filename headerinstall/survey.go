package headerinstall

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// survey decides what happens to each entry of a plan.
type survey struct {
	config *Config
	dest   dir
	want   digests

	recorded int64 // nanoseconds since 1970: when the last manifest was written
	start    time.Time

	mu         sync.Mutex
	problems   []*Problem
	unrecorded bool // a header is not as the last manifest has it
}

// dirOf is path.Dir of a clean relative path.
func dirOf(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return "."
}

func (s *survey) problem(p *Problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, p)
}

// decideAll decides about all headers of a plan, and finds and decides about what has none any more.
func (s *survey) decideAll(ctx context.Context, p *Plan, last *recordReader) error {
	s.start = time.Now()
	d := dealer{table: &p.headers, wanted: anyRow, last: last}
	err := d.run(ctx, func(w *worker, b *batch) error {
		place := s.open(b.dir)
		defer place.dir.close()
		isRecorded := true
		for i := range b.headers {
			h, k := &b.headers[i], &b.known[i]
			if problem := place.decide(w, h, k); problem != nil {
				s.problem(problem)
			}
			isRecorded = isRecorded && k.has(h)
		}
		if !isRecorded {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.unrecorded = true
		}
		return nil
	})
	if err == nil {
		err = d.rest()
	}
	if err != nil {
		return err
	}
	p.outlived = d.outlived.table()
	p.isRecorded = last.lines != nil && last.lines.strip == p.Config.strip() && !s.unrecorded && len(p.outlived.rows) == 0
	d = dealer{table: &p.outlived, wanted: anyRow}
	return d.run(ctx, func(w *worker, b *batch) error {
		place := s.open(b.dir)
		defer place.dir.close()
		for i := range b.headers {
			if problem := place.decideOutlived(w, &b.headers[i]); problem != nil {
				s.problem(problem)
			}
		}
		return nil
	})
}

// has says whether the last manifest has what an installation will record of a header.
func (k *known) has(h *header) bool {
	if h.action != rowSame || !k.isRecorded {
		return false
	}
	f, was := h.file(), &k.files[0]
	return f.Size == was.Size && f.SHA256 == was.SHA256 && f.SourceMtime == was.SourceMtime && f.Mtime == was.Mtime
}

// place is a directory of the destination, and what is in the way of reaching it.
type place struct {
	*survey
	dir      dir   // noDir if it is not there
	inTheWay error // a parent that is no directory; a symbolic link is none, wherever it leads
	err      error // that it cannot be opened for another reason
}

func (s *survey) open(dir string) place {
	p := place{survey: s}
	var err error
	p.dir, err = s.dest.sub(dir)
	switch {
	case err == unix.ENOENT:
	case isInTheWay(err):
		p.inTheWay = inTheWay(s.dest, dir)
	default:
		p.err = err
	}
	return p
}

// isInTheWay tells the errors of a path that leads through something that is no directory.
func isInTheWay(err error) bool {
	return errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EXDEV)
}

// inTheWay finds what keeps a path below d from being a directory's.
func inTheWay(d dir, name string) error {
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		parent, err := d.sub(path.Dir(name[:i]))
		if err != nil {
			break
		}
		stat, err := parent.stat(path.Base(name[:i]))
		parent.close()
		if err == nil && stat.Mode&unix.S_IFMT != unix.S_IFDIR {
			return fmt.Errorf("in the way: %q is %s", name[:i], kind(modeOf(&stat)))
		}
	}
	return fmt.Errorf("in the way: %q is no directory", name)
}

// present is what lies at a destination.
type present struct {
	unix.Stat_t
	exists bool
}

func (p *present) isRegular() bool { return p.exists && p.Mode&unix.S_IFMT == unix.S_IFREG }

func (p *present) isDir() bool { return p.exists && p.Mode&unix.S_IFMT == unix.S_IFDIR }

// look returns what lies at a name in the place.
func (p *place) look(name string) (there present, err error) {
	if !p.dir.exists() {
		return there, p.err
	}
	there.Stat_t, err = p.dir.stat(name)
	if err == unix.ENOENT {
		return there, nil
	}
	there.exists = err == nil
	return there, err
}

// decide decides about a header. A problem leaves it without an action.
func (p *place) decide(w *worker, h *header, k *known) *Problem {
	listed := h.takeListed()
	refuse := func(reason Reason, format string, args ...any) *Problem {
		return &Problem{Reason: reason, Path: h.destination(), Sources: []string{h.written()}, Detail: fmt.Sprintf(format, args...)}
	}
	there, err := p.look(h.name)
	switch {
	case p.inTheWay != nil:
		return refuse(FileVersusDir, "cannot be installed: %v", p.inTheWay)
	case err != nil:
		return unreadable(h.destination(), err)
	case there.isDir():
		return refuse(FileVersusDir, "cannot be installed: a directory is there")
	}
	same, problem := p.isSame(w, h, k, &there, listed)
	switch {
	case problem != nil:
		return problem
	case !there.exists:
		h.action = rowNew
	case same:
		h.action = rowSame
		h.set(needsRepair, modeOf(&there.Stat_t) != fs.FileMode(FileMode) || ownerIsWrong(&there.Stat_t))
	case k.files != nil || p.config.Force:
		h.action = rowChanged
	default:
		return refuse(Foreign, "exists as %s that differs, and no earlier installation put it there", kind(modeOf(&there.Stat_t)))
	}
	return nil
}

// takeListed returns what the source was like when it was listed, where nothing is decided yet.
func (h *header) takeListed() (s status) {
	if h.table.times != nil {
		t := &h.table.times[h.index]
		s, *t = status{*h.size(), t.source}, times{}
	}
	*h.size() = 0
	return s
}

// isSame says whether a destination holds what its source does, and fills in the header's size, and its digest
// where it is wanted.
func (p *place) isSame(w *worker, h *header, k *known, there *present, listed status) (bool, *Problem) {
	if p.config.TrustModTime && there.isRegular() && p.isTrusted(w, h, k, there, listed) {
		return true, nil
	}
	if !there.isRegular() && p.want == sameDigests {
		if err := w.mayOpen(h.source()); err != nil {
			return false, sourceProblem(h.written(), err)
		}
		return false, nil // installing finds the size
	}
	fd, stat, err := w.open(h.source())
	if err != nil {
		return false, sourceProblem(h.written(), err)
	}
	defer closeFD(fd)
	*h.size() = stat.Size
	if there.isRegular() && there.Size == stat.Size {
		same, err := p.holds(w, h, k, fd, there)
		if err != nil {
			return false, unreadable(h.destination(), err)
		}
		if same {
			p.stamp(h, &stat, &there.Stat_t)
			return true, nil
		}
	}
	if p.want == allDigests {
		if _, err = unix.Seek(fd, 0, unix.SEEK_SET); err == nil {
			*h.digest(), err = w.digest(fd, stat.Size)
		}
		if err == nil {
			err = unchanging(fd, &stat)
		}
		if err != nil {
			return false, unreadable(h.written(), err)
		}
	}
	return false, nil
}

// holds says whether a destination has the content of an open source of its size, and if so, fills in the digest.
func (p *place) holds(w *worker, h *header, k *known, source int, there *present) (same bool, err error) {
	fd, err := p.dir.open(h.name)
	if err != nil {
		return false, err
	}
	defer closeFD(fd)
	digest := p.knownDigest(k, there)
	same, err = w.compare(source, fd, *h.size(), digest == nil)
	switch {
	case !same || err != nil:
		return false, err
	case digest != nil:
		*h.digest() = *digest
	default:
		*h.digest() = w.sum()
	}
	return true, nil
}

// knownDigest returns the digest of a destination that nothing can have changed since its manifest was
// written, because its ctime, which no program can set, is older than the manifest is.
func (p *place) knownDigest(k *known, there *present) *Digest {
	if len(k.files) != 1 || k.files[0].Size != there.Size || there.Ctim.Nano() >= p.recorded {
		return nil
	}
	return &k.files[0].SHA256
}

// isTrusted says whether the sizes and times of a source and its destination are those that the manifest
// has, and if so, fills in what the manifest says.
func (p *place) isTrusted(w *worker, h *header, k *known, there *present, listed status) bool {
	if len(k.files) == 0 {
		return false
	}
	was := &k.files[len(k.files)-1]
	if was.SourceMtime == 0 || was.Mtime == 0 || newStatus(&there.Stat_t) != (status{was.Size, was.Mtime}) {
		return false
	}
	now, err := listed, error(nil)
	if now == (status{}) {
		now, err = w.status(h.source())
	}
	if err != nil || now != (status{was.Size, was.SourceMtime}) {
		return false
	}
	*h.size(), *h.digest() = was.Size, was.SHA256
	h.setTimes(times{was.SourceMtime, was.Mtime})
	return true
}

// coarsest is how far apart two writes can be and leave the same mtime: a tick of the slowest kernel clock.
const coarsest = 10 * time.Millisecond

// stamp notes the times of a source and its destination for a later TrustModTime. It does not if the source
// has just been written, since a further write could leave the same time.
func (p *place) stamp(h *header, source, there *unix.Stat_t) {
	if p.config.TrustModTime {
		h.stamp(source, there, p.start)
	}
}

func (h *header) stamp(source, there *unix.Stat_t, start time.Time) {
	if mtime := time.Unix(source.Mtim.Unix()); start.Sub(mtime) > coarsest {
		h.setTimes(times{newTimestamp(source.Mtim), newTimestamp(there.Mtim)})
	}
}

// decideOutlived decides about a file that no source leads to any more; it gets no action if it is gone.
func (p *place) decideOutlived(w *worker, h *header) *Problem {
	if p.inTheWay != nil {
		h.action = rowKept
		return nil
	}
	there, err := p.look(h.name)
	if err != nil {
		return unreadable(h.destination(), err)
	}
	if !there.exists {
		return nil
	}
	ours, err := p.isOwned(w, h, &there)
	if err != nil {
		return unreadable(h.destination(), err)
	}
	h.action = rowKept
	if ours {
		h.action = rowStale
	}
	return nil
}

// isOwned says whether a destination holds what an installation has put there.
func (p *place) isOwned(w *worker, h *header, there *present) (bool, error) {
	sizes, digests := h.versions()
	if !there.isRegular() || !slices.Contains(sizes, there.Size) {
		return false, nil
	}
	fd, err := p.dir.open(h.name)
	if err != nil {
		return false, err
	}
	defer closeFD(fd)
	digest, err := w.digest(fd, there.Size)
	return slices.Contains(digests, digest), err
}
