package headerinstall

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/google/renameio/v2"
)

// Format is the manifest format that this package writes and reads.
const Format = "headers/1"

// maxManifestBytes bounds what is read: a manifest of 30,000 headers is 10 MB.
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
	Destination string   `json:"destination"`    // slash-separated, relative to the destination directory
	Source      string   `json:"source"`         // as written, slash-separated
	Also        []string `json:"also,omitempty"` // further sources with the same content, in the order given
	Size        int64    `json:"size"`           // bytes
	Mode        Mode     `json:"mode"`
	SHA256      Digest   `json:"sha256"`
}

// A Manifest is what one installation wrote. The same sources give the same bytes, whatever the
// directory that they were found from: it holds no time, and no absolute path but that of a pattern written so.
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
	if len(data) > maxManifestBytes {
		return Manifest{}, fmt.Errorf("it is longer than %d bytes", maxManifestBytes)
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, err
	}
	return m, m.check()
}

func (m Manifest) check() error {
	if m.Format != Format {
		return fmt.Errorf("format is %q, want %q", m.Format, Format)
	}
	last := ""
	for i, f := range m.Files {
		if err := f.check(); err != nil {
			return fmt.Errorf("files[%d]: %w", i, err)
		}
		if f.Destination <= last {
			return fmt.Errorf("files[%d]: destination %q does not sort after %q", i, f.Destination, last)
		}
		last = f.Destination
	}
	return nil
}

func (f File) check() error {
	if !filepath.IsLocal(f.Destination) || path.Clean(f.Destination) != f.Destination || f.Destination == "." {
		return fmt.Errorf("destination %q is not a clean relative path", f.Destination)
	}
	for _, name := range append([]string{f.Destination, f.Source}, f.Also...) {
		if why := unsafeName(name); why != "" {
			return fmt.Errorf("name %q %s", name, why)
		}
	}
	if f.Size < 0 {
		return fmt.Errorf("destination %q: size %d is negative", f.Destination, f.Size)
	}
	return nil
}

// Encode returns the manifest as indented JSON.
func (m Manifest) Encode() ([]byte, error) {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(m)
	return buf.Bytes(), err
}

// ReadManifestFile reads the manifest in a file, which has to be a regular one.
func ReadManifestFile(name string) (Manifest, error) {
	f, err := openRegular(os.OpenFile, name)
	if err != nil {
		return Manifest{}, err
	}
	defer f.Close()
	m, err := ReadManifest(f)
	if err != nil {
		return Manifest{}, fmt.Errorf("%s: %w; restore it, or remove it and the headers that it lists", name, err)
	}
	return m, nil
}

// readLast reads the last installation's manifest; there may have been none.
func readLast(name string) (Manifest, error) {
	m, err := ReadManifestFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, nil
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("reading the last installation's manifest: %w", err)
	}
	return m, nil
}

// directories returns every directory between the destination directory and the files, that
// directory itself (".") among them, sorted: each comes after the one that it lies in.
func (m Manifest) directories() []string {
	dirs := map[string]bool{".": true}
	for _, f := range m.Files {
		for dir := path.Dir(f.Destination); !dirs[dir]; dir = path.Dir(dir) {
			dirs[dir] = true
		}
	}
	return slices.Sorted(maps.Keys(dirs))
}

// write replaces the file by the manifest in one step; an equal one is left alone.
func (m Manifest) write(name string) error {
	data, err := m.Encode()
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, data) {
		return nil
	}
	dir, err := openOrMakeDir(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	return renameio.WriteFile(filepath.Base(name), data, 0o644,
		renameio.WithRoot(dir), renameio.WithStaticPermissions(0o644))
}
