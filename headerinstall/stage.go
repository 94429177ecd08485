package headerinstall

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fileMode is FileMode as the system's calls have it.
const fileMode = 0o644

// stagedFile is a header that is written, and has no name of its own yet.
//
// In a fresh directory it has its name at once: that directory has none yet. Elsewhere a new one has none at all
// (O_TMPFILE), where the file system can do that: then linkat(2) gives it its name, unless something has got that name
// meanwhile, and a killed process leaves nothing behind. A changed one has an unfinished file's name, and takes the place
// of the old by rename(2). Nothing is synced: after a crash of the machine a content that is not the planned one is seen,
// and replaced, by the next run, and syncing each file costs tens of times what writing it does.
type stagedFile struct {
	*header
	at    dir
	fd    int
	temp  string // name of an unfinished file; empty for none
	fresh bool   // in a fresh directory
}

// stage writes a source's content into a file in d.
func (in *installer) stage(w *worker, d dir, h *header, fresh bool) (stagedFile, error) {
	source, stat, err := w.open(h.source())
	if err != nil {
		return stagedFile{}, unreadable(h.written(), err)
	}
	defer closeFD(source)
	s, err := newStagedFile(d, h, fresh)
	if err == nil {
		err = in.fill(w, &s, source, &stat)
	}
	if err != nil || fresh {
		s.discard()
	}
	return s, err
}

// newStagedFile makes an empty one.
func newStagedFile(d dir, h *header, fresh bool) (stagedFile, error) {
	s := stagedFile{header: h, at: d, fd: -1, fresh: fresh}
	if fresh {
		fd, err := openAt(int(d), h.name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, fileMode)
		if err != nil {
			return s, fmt.Errorf("writing %q: %w", h.destination(), err)
		}
		s.fd = int(fd)
		return s, nil
	}
	if h.action == rowNew && !lacksTmpfile.Load() {
		fd, err := openAt(int(d), ".", unix.O_TMPFILE|unix.O_WRONLY, fileMode)
		if err == nil {
			s.fd = int(fd)
			return s, nil
		}
		// EISDIR is what a kernel before 3.11 says, EOPNOTSUPP a file system that has none.
		if !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EISDIR) {
			return s, fmt.Errorf("writing %q: %w", h.destination(), err)
		}
		lacksTmpfile.Store(true)
	}
	temp := tempPrefix + rand.Text()
	fd, err := openAt(int(d), temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, fileMode)
	if err != nil {
		return s, fmt.Errorf("writing %q: %w", h.destination(), err)
	}
	s.fd, s.temp = int(fd), temp
	return s, nil
}

// lacksTmpfile is set once a destination's file system has turned out to have no O_TMPFILE.
var lacksTmpfile atomic.Bool

// fill copies the source into the file, and gives that its mode, owner and time.
func (in *installer) fill(w *worker, s *stagedFile, source int, stat *unix.Stat_t) error {
	w.hash.Reset()
	err := w.blocks(source, stat.Size, func(block []byte) error {
		w.hash.Write(block)
		return writeAll(s.fd, block)
	})
	if write, ok := errors.AsType[writeError](err); ok {
		return fmt.Errorf("writing %q: %w", s.destination(), write.error)
	}
	if err == nil {
		err = unchanging(source, stat)
	}
	if err != nil {
		return unreadable(s.written(), err)
	}
	digest := w.sum()
	if planned := s.digest(); *planned != (Digest{}) && *planned != digest {
		return changedSince(s.written())
	}
	*s.size(), *s.digest() = stat.Size, digest
	if err := s.finish(in, stat); err != nil {
		return fmt.Errorf("writing %q: %w", s.destination(), err)
	}
	return nil
}

// finish gives the file its mode, owner and time.
func (s *stagedFile) finish(in *installer, source *unix.Stat_t) error {
	if err := settle(s.fd, fileMode); err != nil {
		return err
	}
	c := &in.plan.Config
	switch {
	case c.KeepModTime:
		if err := setModTime(s.fd, source.Mtim); err != nil {
			return err
		}
	case c.ModTime != nil:
		t, err := unix.TimeToTimespec(*c.ModTime)
		if err == nil {
			err = setModTime(s.fd, t)
		}
		if err != nil {
			return err
		}
	}
	if c.TrustModTime {
		var there unix.Stat_t
		if err := statFD(s.fd, &there); err != nil {
			return err
		}
		s.stamp(source, &there, in.start)
	}
	return nil
}

// setModTime is futimens(3): utimensat(2) of an open file, without a path.
func setModTime(fd int, mtime unix.Timespec) error {
	times := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, mtime}
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// writeError tells an error of writing from one of reading.
type writeError struct{ error }

func writeAll(fd int, block []byte) error {
	for len(block) > 0 {
		n, err := writeFD(fd, block)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return writeError{err}
		}
		block = block[n:]
	}
	return nil
}

// commit gives the file its name.
func (s *stagedFile) commit() error {
	var err error
	switch {
	case s.fresh:
		return nil
	case s.temp == "":
		err = s.linkName()
	case s.action == rowNew:
		err = s.at.renameToNew(s.temp, s.name)
	default:
		err = unix.Renameat(int(s.at), s.temp, int(s.at), s.name)
	}
	if err == unix.EEXIST || err == unix.EISDIR {
		return changedSince(s.destination())
	}
	if err != nil {
		return fmt.Errorf("naming %q: %w", s.destination(), err)
	}
	s.temp = ""
	return nil
}

// linkName gives a file without a name one. Doing so by descriptor takes CAP_DAC_READ_SEARCH before Linux 6.10;
// everyone may do it through /proc, where that is mounted.
func (s *stagedFile) linkName() error {
	err := unix.Linkat(s.fd, "", int(s.at), s.name, unix.AT_EMPTY_PATH)
	if err == unix.ENOENT || err == unix.EPERM {
		err = unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(s.fd), int(s.at), s.name, unix.AT_SYMLINK_FOLLOW)
	}
	return err
}

// discard closes the file, and removes what has not got its name. A leftover is swept by the next run.
func (s *stagedFile) discard() {
	if s.fd >= 0 {
		closeFD(s.fd)
		s.fd = -1
	}
	if s.temp != "" {
		_ = s.at.remove(s.temp)
		s.temp = ""
	}
}
