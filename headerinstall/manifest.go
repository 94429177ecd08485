package headerinstall

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Format is the manifest format that this package writes and reads.
const Format = "headers/1"

// maxManifestBytes bounds what is read: a manifest of 30,000 headers is 7 MB.
const maxManifestBytes = 64 << 20

// FileMode is the mode of every installed header, DirMode that of every directory made for one,
// whatever the umask.
const (
	FileMode Mode        = 0o644
	DirMode  fs.FileMode = 0o755
)

// Mode is a file's permission bits; as text it is four octal digits.
type Mode fs.FileMode

// MarshalText returns the digits.
func (m Mode) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%04o", uint32(m)), nil }

// UnmarshalText reads the digits.
func (m *Mode) UnmarshalText(text []byte) error {
	bits, err := strconv.ParseUint(string(text), 8, 9)
	if err != nil || len(text) != 4 {
		return fmt.Errorf(`mode %q is not four octal digits of at most "0777"`, text)
	}
	*m = Mode(bits)
	return nil
}

// A File is one installed header.
type File struct {
	Destination string    `json:"destination"`    // slash-separated, relative to the destination directory
	Source      string    `json:"source"`         // as written, slash-separated
	Also        []string  `json:"also,omitempty"` // further sources with the same content, in the order given
	Size        int64     `json:"size"`           // bytes
	Mode        Mode      `json:"mode"`
	SHA256      Digest    `json:"sha256"`
	SourceMtime Timestamp `json:"source_mtime,omitzero"` // of Source, if Config.TrustModTime was set
	Mtime       Timestamp `json:"mtime,omitzero"`        // of the installed file, if Config.TrustModTime was set
}

// A Manifest is what one installation wrote. The same sources give the same bytes, whatever the
// directory that they were found from: it holds no absolute path but that of a pattern written so, and
// no time but those that Config.TrustModTime needs.
type Manifest struct {
	Format string `json:"format"` // Format
	Strip  int    `json:"strip"`  // leading components that the sources lost
	Files  []File `json:"files"`  // sorted by destination
}

// ReadManifest reads a manifest and checks that its destinations are clean relative paths,
// sorted and different.
func ReadManifest(r io.Reader) (Manifest, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxManifestBytes+1))
	if err != nil {
		return Manifest{}, err
	}
	return parseManifest(data)
}

func parseManifest(data []byte) (Manifest, error) {
	if len(data) > maxManifestBytes {
		return Manifest{}, fmt.Errorf("it is longer than %d bytes", maxManifestBytes)
	}
	m, asEncoded := parseLines(data)
	if !asEncoded {
		m = Manifest{}
		if err := json.Unmarshal(data, &m); err != nil {
			return Manifest{}, err
		}
	}
	return m, m.check()
}

func (m Manifest) check() error {
	if m.Format != Format {
		return fmt.Errorf("format is %.80q, want %q", m.Format, Format)
	}
	last := ""
	for i := range m.Files {
		if err := m.Files[i].checkAfter(last, i); err != nil {
			return err
		}
		last = m.Files[i].Destination
	}
	return nil
}

// checkAfter checks the i-th file, which has to sort after a destination.
func (f *File) checkAfter(last string, i int) error {
	if err := f.check(); err != nil {
		return fmt.Errorf("files[%d]: %w", i, err)
	}
	if f.Destination <= last {
		return fmt.Errorf("files[%d]: destination %q does not sort after %q", i, f.Destination, last)
	}
	return nil
}

func (f *File) check() error {
	if !isCleanLocal(f.Destination) {
		return fmt.Errorf("destination %q is not a clean relative path", f.Destination)
	}
	for _, name := range [...]string{f.Destination, f.Source} {
		if why := unsafeName(name); why != "" {
			return fmt.Errorf("name %q %s", name, why)
		}
	}
	for _, name := range f.Also {
		if why := unsafeName(name); why != "" {
			return fmt.Errorf("name %q %s", name, why)
		}
	}
	if f.Size < 0 {
		return fmt.Errorf("destination %q: size %d is negative", f.Destination, f.Size)
	}
	return nil
}

// ReadManifestFile reads the manifest in a file, which has to be a regular one.
func ReadManifestFile(name string) (Manifest, error) {
	last, err := readLast(name)
	return last.Manifest, err
}

// lastManifest is the manifest of the last installation, and its file.
type lastManifest struct {
	Manifest
	id fileID
}

func readLast(name string) (last lastManifest, err error) {
	data, id, err := readFile(name)
	if err != nil {
		return last, err
	}
	last.id = id
	last.Manifest, err = parseManifest(data)
	if err != nil {
		return lastManifest{}, brokenManifest(name, err)
	}
	return last, nil
}

func brokenManifest(name string, err error) error {
	return fmt.Errorf("%s: %w; restore it, or remove it and the headers that it lists", name, err)
}

// fileID tells one state of a file from another; zero is that of a file that is not there.
type fileID struct {
	dev, ino     uint64
	size         int64
	mtime, ctime unix.Timespec
}

// since is when the file had its present content at the latest, as long as nobody gave it an mtime of his own.
func (id fileID) since() int64 { return min(id.mtime.Nano(), id.ctime.Nano()) }

func newFileID(stat *unix.Stat_t) fileID {
	return fileID{stat.Dev, stat.Ino, stat.Size, stat.Mtim, stat.Ctim}
}

// readFile reads a regular file, but no more of it than a manifest may have.
func readFile(name string) (data []byte, id fileID, err error) {
	fd, id, err := openFile(name)
	if err != nil {
		return nil, fileID{}, err
	}
	defer unix.Close(fd)
	data = make([]byte, id.size+1)
	n, err := read(fd, data)
	if err == nil && int64(n) != id.size {
		err = errChanging
	}
	if err != nil {
		return nil, fileID{}, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return data[:n], id, nil
}

// openFile opens a regular file that is no longer than a manifest may be.
func openFile(name string) (fd int, id fileID, err error) {
	opened, err := openAt(unix.AT_FDCWD, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err == nil {
		var stat unix.Stat_t
		if fd, stat, err = checkRegular(int(opened)); err == nil {
			id = newFileID(&stat)
		}
	}
	if err == nil && id.size > maxManifestBytes {
		unix.Close(fd)
		err = fmt.Errorf("is longer than %d bytes", maxManifestBytes)
	}
	if err != nil {
		return -1, fileID{}, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return fd, id, nil
}

// directories returns every directory between the destination directory and the files, that
// directory itself (".") among them, sorted: each comes after the one that it lies in.
func directories(files []File) []string {
	dirs := dirSet{".": true}
	for i := range files {
		dirs.add(files[i].Destination)
	}
	return slices.Sorted(maps.Keys(dirs))
}

type dirSet map[string]bool

// add adds the directories that lead to a file.
func (d dirSet) add(file string) { d.addDir(dirOf(file)) }

// addDir adds a directory, and those that lead to it.
func (d dirSet) addDir(dir string) {
	for ; !d[dir]; dir = dirOf(dir) {
		d[dir] = true
	}
}

// unfinishedSuffix ends the name of a manifest that is still being written.
const unfinishedSuffix = ".new"

// writeManifestFile replaces a file by a manifest in one step, which survives a crash of the machine if synced.
func writeManifestFile(name string, strip int, headers *table, synced bool) error {
	if err := makeAll(filepath.Dir(name)); err != nil {
		return err
	}
	unfinished := name + unfinishedSuffix
	f, err := os.OpenFile(unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	err = headers.writeManifest(f, strip)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil && synced {
		err = f.Sync()
	}
	if err == nil {
		err = f.Close()
	}
	if err == nil {
		err = os.Rename(unfinished, name)
	}
	if err != nil || !synced {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
