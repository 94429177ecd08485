package headerinstall

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// While an installation works, a journal beside the manifest says what it is about to put there: files with their
// digests, and directories. It is a JSON object a line, and goes when the manifest has been written. A
// run that is killed leaves it, and so the next one knows what is ours, whatever happens to the sources in
// between. An uninstallation leaves one too, from which the next sees that files may be gone.

const (
	journalSuffix = ".journal"

	journalBlock  = 4 << 10 // about as much is collected before it is written
	journalFormat = "headers-journal/1"
)

// journalLine is a line of a journal: the first has the format, every other a directory, a file, or that all is
// being removed.
type journalLine struct {
	Format      string `json:"format"`
	Removing    bool   `json:"removing"` // an uninstallation has begun
	Dir         string `json:"dir"`
	Destination string `json:"destination"`
	Size        int64  `json:"size"`
	SHA256      Digest `json:"sha256"`
}

// record is what is known of what was installed before.
type record struct {
	manifest    fileID // of the last installation's manifest
	hasManifest bool

	installed   table    // by the manifest, then by a killed run; nothing if it is read by a recordReader
	dirs        []string // that a killed run has made, or was about to
	interrupted bool     // there is a journal
	removing    bool     // an uninstallation has begun
	journalID   fileID
	journalEnd  int64 // bytes of the journal that are whole lines
}

// readRecord reads the last installation's manifest and a killed run's journal; there may be neither.
func readRecord(manifest string) (r record, err error) {
	var all recorder
	r.manifest, err = recordManifest(manifest, &all)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, lastManifestError(err)
	}
	r.hasManifest = err == nil
	data, id, err := readFile(manifest + journalSuffix)
	if err == nil {
		r.interrupted, r.journalID = true, id
		err = r.readJournal(data, &all)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("reading what a killed installation left: %s: %w; remove it, and install with force", manifest+journalSuffix, err)
	}
	r.installed = all.table()
	return r, nil
}

func lastManifestError(err error) error {
	return fmt.Errorf("reading the last installation's manifest: %w", err)
}

func (r *record) readJournal(data []byte, all *recorder) error {
	if len(data) > maxManifestBytes {
		return fmt.Errorf("it is longer than %d bytes", maxManifestBytes)
	}
	// A last line that was cut off says nothing: what it is about was not begun.
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	r.journalEnd = int64(len(data))
	n := 0
	for text := range bytes.Lines(data) {
		n++
		var line journalLine
		if err := json.Unmarshal(text, &line); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		switch {
		case n == 1:
			if line.Format != journalFormat {
				return fmt.Errorf("format is %.80q, want %q", line.Format, journalFormat)
			}
		case line.Removing:
			r.removing = true
		case line.Dir != "":
			if !isCleanLocal(line.Dir) {
				return fmt.Errorf("line %d: directory %q is not a clean relative path", n, line.Dir)
			}
			r.dirs = append(r.dirs, line.Dir)
		default:
			f := File{Destination: line.Destination, Source: line.Destination, Size: line.Size, Mode: FileMode, SHA256: line.SHA256}
			if err := f.check(); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
			all.add(&f)
		}
	}
	return nil
}

// recordReader hands out a record's files.
type recordReader struct {
	record
	row   int           // of installed, that comes next
	lines *manifestFile // that is read while it is handed out; nil for installed
	files []File        // that were handed out last
}

// openRecord is readRecord for a plan, which needs the files once.
func openRecord(manifest string) (*recordReader, error) {
	if _, err := os.Lstat(manifest + journalSuffix); errors.Is(err, fs.ErrNotExist) {
		if m, err := openManifest(manifest); err == nil {
			return &recordReader{record: record{manifest: m.id, hasManifest: true}, lines: m}, nil
		}
	}
	r, err := readRecord(manifest)
	return &recordReader{record: r}, err
}

func (r *recordReader) close() {
	if r.lines != nil {
		r.lines.close()
	}
}

// next returns what is known of the next destination, in their order: what the manifest has, then what a killed run's
// journal has. It is there until next is called again. At the end there is none, and next is not to be called again.
func (r *recordReader) next() ([]File, error) {
	r.files = r.files[:0]
	if r.lines != nil {
		f, err := r.lines.next()
		switch err {
		case nil:
			r.files = append(r.files, f)
		case io.EOF:
			return []File{}, nil
		case errNotEncoded:
			return nil, err
		default:
			return nil, lastManifestError(err)
		}
		return r.files, nil
	}
	for more := true; more && r.row < len(r.installed.rows); r.row++ {
		more = !r.installed.isLast(r.row)
		h := r.installed.header(r.row)
		r.files = append(r.files, h.entry().File)
	}
	if len(r.files) == 0 {
		return []File{}, nil
	}
	return r.files, nil
}

// directories returns those of the files, and those that a killed run has made or was about to, with the ones that these
// lie in.
func (r *record) directories() dirSet {
	dirs := dirSet{".": true}
	r.installed.directories(dirs, anyRow)
	for _, name := range r.dirs {
		dirs.add(name)
	}
	return dirs
}

// isCurrent says whether manifest and journal are as they were when the record was read.
func (r *record) isCurrent(manifest string) (bool, error) {
	for name, then := range map[string]fileID{manifest: r.manifest, manifest + journalSuffix: r.journalID} {
		var id fileID
		var stat unix.Stat_t
		err := unix.Lstat(name, &stat)
		if err != nil && err != unix.ENOENT {
			return false, &fs.PathError{Op: "lstat", Path: name, Err: err}
		}
		if err == nil {
			id = newFileID(&stat)
		}
		if id != then {
			return false, nil
		}
	}
	return true, nil
}

// journal is one that is being written.
type journal struct {
	manifest string // that it lies beside
	record   *record

	mu sync.Mutex
	f  *os.File // nil before the first write
}

func newJournal(manifest string, r *record) *journal {
	return &journal{manifest: manifest, record: r}
}

// write appends lines, after those that a killed run has left. They are there for the next run once write returns. They
// need not survive a crash of the machine: what is written after them need not either.
func (j *journal) write(lines []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.f == nil {
		if err := j.open(); err != nil {
			return fmt.Errorf("opening the journal: %w", err)
		}
	}
	if _, err := j.f.Write(lines); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	return nil
}

func (j *journal) open() error {
	if err := makeAll(filepath.Dir(j.manifest)); err != nil {
		return err
	}
	f, err := os.OpenFile(j.manifest+journalSuffix, os.O_WRONLY|os.O_CREATE|os.O_APPEND|unix.O_NOFOLLOW, 0o644)
	if err != nil {
		return err
	}
	j.f = f
	if err := f.Truncate(j.record.journalEnd); err != nil || j.record.journalEnd > 0 {
		return err
	}
	_, err = fmt.Fprintf(f, "{\"format\": %q}\n", journalFormat)
	return err
}

// remove ends the journal: what it tells is in the manifest, or gone. The manifest that a killed run has not
// finished goes with it.
func (j *journal) remove() error {
	j.close()
	if j.f == nil && !j.record.interrupted {
		return nil
	}
	for _, name := range [...]string{j.manifest + unfinishedSuffix, j.manifest + journalSuffix} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the journal: %w", err)
		}
	}
	return nil
}

func (j *journal) close() {
	if j.f != nil {
		j.f.Close()
	}
}

// removingLine is the line that an uninstallation writes before it removes anything.
const removingLine = `{"removing": true}` + "\n"

// appendDir appends the line of a directory.
func appendDir(out []byte, name string) []byte {
	return append(appendString(append(out, `{"dir": `...), name, ""), "}\n"...)
}

// appendJournal appends the line of a header.
func (h *header) appendJournal(out []byte) []byte {
	out = appendString(append(out, `{"destination": `...), h.dir.to, h.name)
	out = strconv.AppendInt(append(out, `, "size": `...), *h.size(), 10)
	out = hex.AppendEncode(append(out, `, "sha256": "`...), h.digest()[:])
	return append(out, "\"}\n"...)
}
