package headerinstall

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// dir is an open directory. Its calls name one entry of it, and follow no symbolic link: once a
// directory is open, nothing that is done to the path that led to it sends a call elsewhere. The
// errors of its calls are those of the kernel, without a name.
type dir int

// noDir is a directory that does not exist. Nothing is in it.
const noDir dir = -1

func (d dir) exists() bool { return d >= 0 }

func (d dir) close() {
	if d.exists() {
		closeFD(int(d))
	}
}

// openDir opens a directory by a path that the user gave; symbolic links in it are the user's word.
func openDir(name string) (dir, error) {
	return openAt(unix.AT_FDCWD, name, unix.O_DIRECTORY, 0)
}

// openAt is openat(2), which Go's preemption signals may interrupt on some file systems.
func openAt(at int, name string, flags int, mode fs.FileMode) (dir, error) {
	for {
		fd, err := openEntry(at, name, flags|unix.O_CLOEXEC, mode)
		switch err {
		case nil:
			return dir(fd), nil
		case unix.EINTR:
		default:
			return noDir, err
		}
	}
}

// sub opens a directory by its clean path below d, of which no component may be a symbolic link.
func (d dir) sub(name string) (dir, error) { return d.subJoined(name, "") }

// subJoined is sub of a path in two parts.
func (d dir) subJoined(a, b string) (dir, error) {
	if !d.exists() {
		return noDir, unix.ENOENT
	}
	if !hasOpenat2() {
		return d.subByStep(a + b)
	}
	for {
		fd, err := openBeneath(int(d), a, b)
		switch err {
		case nil:
			return dir(fd), nil
		case unix.EINTR, unix.EAGAIN: // EAGAIN: something was renamed meanwhile
		default:
			return noDir, err
		}
	}
}

// hasOpenat2 says whether the kernel has openat2 (Linux 5.6) and lets this process call it: seccomp
// filters older than the call refuse it.
var hasOpenat2 = sync.OnceValue(func() bool {
	fd, err := unix.Openat2(unix.AT_FDCWD, "/", &unix.OpenHow{Flags: unix.O_DIRECTORY | unix.O_CLOEXEC})
	if err == nil {
		unix.Close(fd)
	}
	return err == nil
})

// subByStep does what sub does with the calls of any kernel: it opens each component relative to the
// one before it.
func (d dir) subByStep(name string) (dir, error) {
	at, err := openAt(int(d), ".", unix.O_DIRECTORY, 0)
	for component := range strings.SplitSeq(name, "/") {
		if err != nil {
			return noDir, err
		}
		below := noDir
		if component == ".." {
			err = unix.EXDEV
		} else {
			below, err = openAt(int(at), component, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
		}
		if err == unix.ENOTDIR && at.isLink(component) {
			err = unix.ELOOP // what openat2 says of a link
		}
		at.close()
		at = below
	}
	return at, err
}

func (d dir) isLink(name string) bool {
	stat, err := d.stat(name)
	return err == nil && stat.Mode&unix.S_IFMT == unix.S_IFLNK
}

// statSelf is fstat(2) of the directory.
func (d dir) statSelf() (stat unix.Stat_t, err error) {
	if !d.exists() {
		return stat, unix.ENOENT
	}
	err = statFD(int(d), &stat)
	return stat, err
}

// stat is lstat(2) of an entry.
func (d dir) stat(name string) (stat unix.Stat_t, err error) {
	if !d.exists() {
		return stat, unix.ENOENT
	}
	for {
		err = statEntry(int(d), name, &stat)
		if err != unix.EINTR {
			return stat, err
		}
	}
}

// open opens an entry for reading. It does not wait for the writer of a fifo, should one have taken
// the place of a file since it was looked at.
func (d dir) open(name string) (fd int, err error) {
	f, err := openAt(int(d), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	return int(f), err
}

// An entryName is an entry of a directory, with its type: the DT_ constants of readdir(3), never DT_UNKNOWN.
type entryName struct {
	name string
	kind byte
}

// list returns the entries of a directory that has just been opened. It uses buf.
func (d dir) list(buf []byte) (entries []entryName, err error) {
	err = d.each(buf, func(name []byte, kind byte) { entries = append(entries, entryName{string(name), kind}) })
	return entries, err
}

// each calls do with the entries of a directory that has just been opened. The names are parts of buf, which it uses.
func (d dir) each(buf []byte, do func(name []byte, kind byte)) error {
	for {
		n, err := readEntries(int(d), buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return err
		}
		for records := buf[:n]; len(records) > 0; {
			var name []byte
			var kind byte
			name, kind, records = nextEntry(records)
			if string(name) == "." || string(name) == ".." {
				continue
			}
			if kind == unix.DT_UNKNOWN {
				stat, err := d.stat(string(name))
				if err == unix.ENOENT {
					continue
				}
				if err != nil {
					return err
				}
				kind = byte(stat.Mode & unix.S_IFMT >> 12) // as IFTODT of dirent.h
			}
			do(name, kind)
		}
	}
}

// entries is list, of a directory that stays open.
func (d dir) entries(buf []byte) ([]entryName, error) {
	again, err := d.sub(".")
	if err != nil {
		return nil, err
	}
	defer again.close()
	return again.list(buf)
}

// nextEntry takes one struct linux_dirent64 off records, as getdents64(2) lays it out.
func nextEntry(records []byte) (name []byte, kind byte, rest []byte) {
	const lengthAt, kindAt, nameAt = 16, 18, 19
	length := binary.NativeEndian.Uint16(records[lengthAt:kindAt])
	name, _, _ = bytes.Cut(records[nameAt:length], []byte{0})
	return name, records[kindAt], records[length:]
}

// make makes a directory, with DirMode whatever the umask; it may be there already.
func (d dir) make(name string) error {
	err := unix.Mkdirat(int(d), name, uint32(DirMode))
	if err == unix.EEXIST {
		return nil
	}
	if err != nil {
		return err
	}
	made, err := openAt(int(d), name, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer made.close()
	return settle(int(made), DirMode)
}

// settle gives an open file or directory its mode, and root's files root as owner: a set-group-ID
// directory would give them another group.
func settle(fd int, mode fs.FileMode) error {
	var stat unix.Stat_t
	if err := statFD(fd, &stat); err != nil {
		return err
	}
	if ownerIsWrong(&stat) {
		if err := unix.Fchown(fd, 0, 0); err != nil {
			return err
		}
	}
	if modeOf(&stat) == mode|modeOf(&stat).Type() {
		return nil
	}
	return unix.Fchmod(fd, uint32(mode.Perm()))
}

// isRoot is whether root is at work.
var isRoot = os.Geteuid() == 0

// ownerIsWrong says whether root is at work, and a file is not root's.
func ownerIsWrong(stat *unix.Stat_t) bool { return isRoot && (stat.Uid != 0 || stat.Gid != 0) }

// remove removes a file, removeDir an empty directory.
func (d dir) remove(name string) error    { return unix.Unlinkat(int(d), name, 0) }
func (d dir) removeDir(name string) error { return unix.Unlinkat(int(d), name, unix.AT_REMOVEDIR) }

// removeAll removes a directory with all that is in it. It uses buf.
func (d dir) removeAll(name string, buf []byte) error {
	sub, err := openAt(int(d), name, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer sub.close()
	entries, err := sub.list(buf)
	for _, e := range entries {
		switch {
		case err != nil:
			return err
		case e.kind == unix.DT_DIR:
			err = sub.removeAll(e.name, buf)
		default:
			err = sub.remove(e.name)
		}
	}
	if err != nil {
		return err
	}
	return d.removeDir(name)
}

// renameToNew renames an entry to a name that nothing has.
func (d dir) renameToNew(name, to string) error {
	err := unix.Renameat2(int(d), name, int(d), to, unix.RENAME_NOREPLACE)
	if err != unix.EINVAL && err != unix.ENOSYS {
		return err
	}
	// The file system cannot refuse to replace; looking first has to do.
	if _, err := d.stat(to); err != unix.ENOENT {
		return unix.EEXIST
	}
	return unix.Renameat(int(d), name, int(d), to)
}

// isNotEmpty tells the two errors that POSIX allows for a directory that is not empty.
func isNotEmpty(err error) bool {
	return errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST)
}

// modeOf translates a mode of stat(2) as the standard library does.
func modeOf(stat *unix.Stat_t) fs.FileMode {
	mode := fs.FileMode(stat.Mode & 0o777)
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		mode |= fs.ModeDir
	case unix.S_IFLNK:
		mode |= fs.ModeSymlink
	case unix.S_IFIFO:
		mode |= fs.ModeNamedPipe
	case unix.S_IFSOCK:
		mode |= fs.ModeSocket
	default:
		mode |= fs.ModeDevice
	}
	if stat.Mode&unix.S_ISUID != 0 {
		mode |= fs.ModeSetuid
	}
	if stat.Mode&unix.S_ISGID != 0 {
		mode |= fs.ModeSetgid
	}
	if stat.Mode&unix.S_ISVTX != 0 {
		mode |= fs.ModeSticky
	}
	return mode
}

// makeAll makes a directory outside the destination, or the destination itself, and its parents, each with DirMode.
func makeAll(name string) error {
	d, err := openDir(name)
	if err == nil {
		d.close()
		return nil
	}
	if err != unix.ENOENT || filepath.Dir(name) == name {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if err := makeAll(filepath.Dir(name)); err != nil {
		return err
	}
	parent, err := openDir(filepath.Dir(name))
	if err != nil {
		return &fs.PathError{Op: "open", Path: filepath.Dir(name), Err: err}
	}
	defer parent.close()
	if err := parent.make(filepath.Base(name)); err != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: err}
	}
	return nil
}
