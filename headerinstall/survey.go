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

	mu       sync.Mutex
	problems []*Problem
}

// groupEntries is how many entries are worked on at a time. While they are installed, each has a file open.
const groupEntries = 64

// group is entries of one directory of the destination.
type group struct {
	dir     string
	entries []*Entry
}

// groups takes entries apart by their directories, which come in the order of their first entries.
func groups(entries []*Entry) (all []group) {
	open := map[string]int{} // directory: index of the group that takes its next entry
	last, at := "", -1       // of the entry before: mostly the same
	for _, e := range entries {
		dir := dirOf(e.Destination)
		if dir != last || at < 0 || len(all[at].entries) == groupEntries {
			i, ok := open[dir]
			if !ok || len(all[i].entries) == groupEntries {
				i = len(all)
				open[dir] = i
				all = append(all, group{dir: dir})
			}
			last, at = dir, i
		}
		all[at].entries = append(all[at].entries, e)
	}
	return all
}

// dirOf is path.Dir of a clean relative path.
func dirOf(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i]
	}
	return "."
}

// pick returns the entries that f holds for.
func pick(entries []Entry, f func(*Entry) bool) (picked []*Entry) {
	for i := range entries {
		if f(&entries[i]) {
			picked = append(picked, &entries[i])
		}
	}
	return picked
}

func (s *survey) problem(p *Problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = append(s.problems, p)
}

// merge makes one entry of those that have one destination; entries are sorted.
func (s *survey) merge(entries []Entry) []Entry {
	if !hasDuplicates(entries) {
		return entries
	}
	w := newWorker()
	defer w.close()
	merged := entries[:0]
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n].Destination == entries[0].Destination {
			n++
		}
		e := entries[0]
		if n > 1 {
			s.mergeSame(w, &e, entries[:n])
		}
		entries = entries[n:]
		merged = append(merged, e)
	}
	return merged
}

func hasDuplicates(entries []Entry) bool {
	for i := 1; i < len(entries); i++ {
		if entries[i].Destination == entries[i-1].Destination {
			return true
		}
	}
	return false
}

// mergeSame makes merged of entries with one destination, which must have one content.
func (s *survey) mergeSame(w *worker, merged *Entry, entries []Entry) {
	differ := false
	for i := range entries {
		e := &entries[i]
		if err := w.fill(e); err != nil {
			s.problem(unreadable(e.Source, err))
			return
		}
		if i == 0 {
			merged.File = e.File
			continue
		}
		merged.Also = append(merged.Also, e.Source)
		differ = differ || e.SHA256 != merged.SHA256
	}
	if differ {
		s.problem(&Problem{Reason: Collision, Path: merged.Destination, Detail: "has sources with different content",
			Sources: append([]string{merged.Source}, merged.Also...)})
	}
}

// fill reads an entry's source and fills in its size and digest.
func (w *worker) fill(e *Entry) error {
	fd, stat, err := w.open(e.source())
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	e.Size = stat.Size
	if e.SHA256, err = w.digest(fd, stat.Size); err != nil {
		return err
	}
	return unchanging(fd, &stat)
}

// decideAll decides about all entries.
func (s *survey) decideAll(ctx context.Context, entries []Entry) error {
	s.start = time.Now()
	all := groups(pick(entries, func(*Entry) bool { return true }))
	return each(ctx, all, func(w *worker, g group) error {
		place := s.open(g.dir)
		defer place.dir.close()
		for _, e := range g.entries {
			problem := place.decide(w, e)
			if problem != nil {
				s.problem(problem)
			}
		}
		return nil
	})
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
func (p *present) isDir() bool     { return p.exists && p.Mode&unix.S_IFMT == unix.S_IFDIR }

// look returns what lies at a destination in the place.
func (p *place) look(destination string) (there present, err error) {
	if !p.dir.exists() {
		return there, p.err
	}
	there.Stat_t, err = p.dir.stat(path.Base(destination))
	if err == unix.ENOENT {
		return there, nil
	}
	there.exists = err == nil
	return there, err
}

// decide decides about one entry. A problem leaves it without an action.
func (p *place) decide(w *worker, e *Entry) *Problem {
	if e.tree == nil {
		return p.decideStale(w, e)
	}
	refuse := func(reason Reason, format string, args ...any) *Problem {
		return &Problem{Reason: reason, Path: e.Destination, Sources: []string{e.Source}, Detail: fmt.Sprintf(format, args...)}
	}
	there, err := p.look(e.Destination)
	switch {
	case p.inTheWay != nil:
		return refuse(FileVersusDir, "cannot be installed: %v", p.inTheWay)
	case err != nil:
		return unreadable(e.Destination, err)
	case there.isDir():
		return refuse(FileVersusDir, "cannot be installed: a directory is there")
	}
	same, problem := p.isSame(w, e, &there)
	switch {
	case problem != nil:
		return problem
	case !there.exists:
		e.Action = New
	case same:
		e.Action = Same
		e.repair = modeOf(&there.Stat_t) != fs.FileMode(e.Mode) || ownerIsWrong(&there.Stat_t)
	case e.owned != nil || p.config.Force:
		e.Action = Changed
	default:
		return refuse(Foreign, "exists as %s that differs, and no earlier installation put it there", kind(modeOf(&there.Stat_t)))
	}
	return nil
}

// isSame says whether a destination holds what its source does, and fills in the entry's size, and its digest
// where it is wanted.
func (p *place) isSame(w *worker, e *Entry, there *present) (bool, *Problem) {
	if p.config.TrustModTime && there.isRegular() && p.isTrusted(w, e, there) {
		return true, nil
	}
	if !there.isRegular() && p.want == sameDigests {
		if err := w.mayOpen(e.source()); err != nil {
			return false, sourceProblem(e.Source, err)
		}
		return false, nil // installing finds the size
	}
	fd, stat, err := w.open(e.source())
	if err != nil {
		return false, sourceProblem(e.Source, err)
	}
	defer unix.Close(fd)
	e.Size = stat.Size
	if there.isRegular() && there.Size == stat.Size {
		same, err := p.holds(w, e, fd, there)
		if err != nil {
			return false, unreadable(e.Destination, err)
		}
		if same {
			p.stamp(e, &stat, &there.Stat_t)
			return true, nil
		}
	}
	if p.want == allDigests {
		if _, err = unix.Seek(fd, 0, unix.SEEK_SET); err == nil {
			e.SHA256, err = w.digest(fd, stat.Size)
		}
		if err == nil {
			err = unchanging(fd, &stat)
		}
		if err != nil {
			return false, unreadable(e.Source, err)
		}
	}
	return false, nil
}

// holds says whether a destination has the content of an open source of its size, and if so, fills in the digest.
func (p *place) holds(w *worker, e *Entry, source int, there *present) (same bool, err error) {
	fd, err := p.dir.open(path.Base(e.Destination))
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	known := p.knownDigest(e, there)
	same, err = w.compare(source, fd, e.Size, known == nil)
	switch {
	case !same || err != nil:
		return false, err
	case known != nil:
		e.SHA256 = *known
	default:
		e.SHA256 = w.sum()
	}
	return true, nil
}

// knownDigest returns the digest of a destination that nothing can have changed since its manifest was
// written, because its ctime, which no program can set, is older than the manifest is.
func (p *place) knownDigest(e *Entry, there *present) *Digest {
	if len(e.owned) != 1 || e.owned[0].Size != there.Size || there.Ctim.Nano() >= p.recorded {
		return nil
	}
	return &e.owned[0].SHA256
}

// isTrusted says whether the sizes and times of a source and its destination are those that the manifest
// has, and if so, fills in what the manifest says.
func (p *place) isTrusted(w *worker, e *Entry, there *present) bool {
	if len(e.owned) == 0 {
		return false
	}
	was := &e.owned[len(e.owned)-1]
	if was.SourceMtime == 0 || was.Mtime == 0 || newStatus(&there.Stat_t) != (status{was.Size, was.Mtime}) {
		return false
	}
	now, err := w.status(e.source())
	if err != nil || now != (status{was.Size, was.SourceMtime}) {
		return false
	}
	e.Size, e.SHA256, e.SourceMtime, e.Mtime = was.Size, was.SHA256, was.SourceMtime, was.Mtime
	return true
}

// coarsest is how far apart two writes can be and leave the same mtime: a tick of the slowest kernel clock.
const coarsest = 10 * time.Millisecond

// stamp notes the times of a source and its destination for a later TrustModTime. It does not if the source
// has just been written, since a further write could leave the same time.
func (p *place) stamp(e *Entry, source, there *unix.Stat_t) {
	if p.config.TrustModTime {
		stampEntry(e, source, there, p.start)
	}
}

func stampEntry(e *Entry, source, there *unix.Stat_t, start time.Time) {
	if mtime := time.Unix(source.Mtim.Unix()); start.Sub(mtime) > coarsest {
		e.SourceMtime, e.Mtime = newTimestamp(source.Mtim), newTimestamp(there.Mtim)
	}
}

// decideStale decides about a file that no source leads to any more; it gets no action if it is gone.
func (p *place) decideStale(w *worker, e *Entry) *Problem {
	if p.inTheWay != nil {
		e.Action = Kept
		return nil
	}
	there, err := p.look(e.Destination)
	if err != nil {
		return unreadable(e.Destination, err)
	}
	if !there.exists {
		return nil
	}
	ours, err := p.isOwned(w, e, &there)
	if err != nil {
		return unreadable(e.Destination, err)
	}
	e.Action = Kept
	if ours {
		e.Action = Stale
	}
	return nil
}

// isOwned says whether a destination holds what an installation has put there.
func (p *place) isOwned(w *worker, e *Entry, there *present) (bool, error) {
	if !there.isRegular() || !slices.ContainsFunc(e.owned, func(f File) bool { return f.Size == there.Size }) {
		return false, nil
	}
	fd, err := p.dir.open(path.Base(e.Destination))
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	digest, err := w.digest(fd, there.Size)
	return slices.ContainsFunc(e.owned, func(f File) bool { return f.SHA256 == digest }), err
}
