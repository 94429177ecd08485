package headerinstall

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
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
	if _, name := path.Split(f.Source); name == "" {
		return fmt.Errorf("destination %q: source %q names no file", f.Destination, f.Source)
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
	m, _, err := readManifestFile(name)
	return m, err
}

func readManifestFile(name string) (m Manifest, id fileID, err error) {
	data, id, err := readFile(name)
	if err != nil {
		return m, id, err
	}
	if m, err = parseManifest(data); err != nil {
		return Manifest{}, id, brokenManifest(name, err)
	}
	return m, id, nil
}

// manifestFile is a manifest as Encode writes it, that is read file by file, so that it is not in memory whole.
type manifestFile struct {
	name  string
	fd    int
	id    fileID
	strip int

	lines manifestLines
	left  int64  // bytes that have not been read
	n     int    // files that have been read
	last  []byte // destination of the last of them
}

// openManifest opens one. Of a file that is not as Encode writes a manifest the error is errNotEncoded, here or when it is read.
func openManifest(name string) (*manifestFile, error) {
	fd, id, err := openFile(name)
	if err != nil {
		return nil, err
	}
	m := &manifestFile{name: name, fd: fd, id: id, left: id.size}
	m.lines.read = m.read
	if m.strip, err = m.lines.head(); err != nil {
		m.close()
		return nil, err
	}
	return m, nil
}

func (m *manifestFile) close() { unix.Close(m.fd) }

func (m *manifestFile) read(buf []byte) (n int, err error) {
	n, err = read(m.fd, buf)
	m.left -= int64(n)
	if err == nil && (m.left < 0 || m.left > 0 && n < len(buf)) {
		err = errChanging
	}
	if err != nil {
		err = &fs.PathError{Op: "read", Path: m.name, Err: err}
	}
	return n, err
}

// next returns the next file, whose strings are there until next is called again. The end is io.EOF.
func (m *manifestFile) next() (f File, err error) {
	if f, err = m.lines.next(); err != nil {
		return f, err
	}
	if err = f.checkAfter(asString(m.last), m.n); err != nil {
		return f, brokenManifest(m.name, err)
	}
	m.n++
	m.last = append(m.last[:0], f.Destination...)
	return f, nil
}

// recordManifest adds to r what the manifest in a file lists.
func recordManifest(name string, r *recorder) (fileID, error) {
	id, err := recordLines(name, r)
	if err != errNotEncoded {
		return id, err
	}
	m, id, err := readManifestFile(name)
	*r = newRecorder(id.size)
	for i := range m.Files {
		r.add(&m.Files[i])
	}
	return id, err
}

func recordLines(name string, r *recorder) (fileID, error) {
	m, err := openManifest(name)
	if err != nil {
		return fileID{}, err
	}
	defer m.close()
	*r = newRecorder(m.id.size)
	for {
		f, err := m.next()
		if err == io.EOF {
			return m.id, nil
		}
		if err != nil {
			return m.id, err
		}
		r.add(&f)
	}
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

// dirSet is directories below the destination, by their paths; "." is the destination itself.
type dirSet map[string]bool

// add adds a directory, and those that lead to it.
func (d dirSet) add(dir string) {
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
