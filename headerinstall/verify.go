package headerinstall

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// DeviationKind says how a tree differs from its manifest.
type DeviationKind string

// The kinds of deviations.
const (
	MissingFile DeviationKind = "missing" // listed, and not there
	ChangedFile DeviationKind = "changed" // listed, and there with another content, mode or type
	ForeignFile DeviationKind = "foreign" // there, and not listed
)

// A Deviation is one file that is not as the manifest says.
type Deviation struct {
	Destination string        `json:"destination"` // relative to the destination directory
	Kind        DeviationKind `json:"kind"`
	Detail      string        `json:"detail"` // what is different, as a clause
}

// A Report is how a tree compares with its manifest.
type Report struct {
	Headers    int         `json:"headers"`    // that the manifest lists
	Deviations []Deviation `json:"deviations"` // sorted by destination; one for each file
}

// Verify compares the destination directory dest with what an installation into it has recorded. It
// looks for foreign files in the directories that lead to the manifest's files, dest among them, and
// not in others. What cannot be read is in the error, and the Report has all the rest. A dest that
// does not exist misses everything.
func Verify(ctx context.Context, m Manifest, dest string) (Report, error) {
	r, err := verify(ctx, m, dest)
	if err != nil {
		err = fmt.Errorf("verifying the headers in %s: %w", dest, err)
	}
	return r, err
}

func verify(ctx context.Context, m Manifest, dest string) (Report, error) {
	r := Report{Headers: len(m.Files), Deviations: []Deviation{}}
	d, err := openDestination(dest)
	if err != nil {
		return r, err
	}
	defer d.Close()

	var unread []error
	listed := map[string]bool{}
	for _, f := range m.Files {
		if ctx.Err() != nil {
			return r, fmt.Errorf("stopped before %q: %w", f.Destination, context.Cause(ctx))
		}
		listed[f.Destination] = true
		deviation, err := d.compare(f)
		if err != nil {
			unread = append(unread, unreadable(f.Destination, err))
		}
		if deviation != nil {
			r.Deviations = append(r.Deviations, *deviation)
		}
	}
	for _, dir := range m.directories() {
		foreign, err := d.foreign(dir, listed)
		if err != nil {
			unread = append(unread, unreadable(dir, err))
		}
		r.Deviations = append(r.Deviations, foreign...)
	}
	slices.SortFunc(r.Deviations, func(a, b Deviation) int { return strings.Compare(a.Destination, b.Destination) })
	return r, errors.Join(unread...)
}

// compare returns how the file at f's destination differs from f; nil if it does not.
func (d *destination) compare(f File) (*Deviation, error) {
	now, err := d.look(f.Destination, f.Size)
	changed := func(format string, args ...any) (*Deviation, error) {
		return &Deviation{f.Destination, ChangedFile, fmt.Sprintf(format, args...)}, nil
	}
	switch {
	case errors.Is(err, errInTheWay):
		return changed("cannot be reached: %v", err)
	case err != nil:
		return nil, err
	case now == nil:
		return &Deviation{f.Destination, MissingFile, "is not there"}, nil
	case !now.mode.IsRegular():
		return changed("is %s", kind(now.mode))
	case now.size != f.Size:
		return changed("has other content: %d bytes, was installed with %d", now.size, f.Size)
	case now.digest != f.SHA256:
		return changed("has other content of the same size")
	case now.mode != fs.FileMode(f.Mode):
		return changed("has mode %v, was installed with %v", now.mode, fs.FileMode(f.Mode))
	}
	return nil, nil
}

// foreign returns what lies in a directory, is not listed and is no directory. A directory that is
// missing, or that something is in the way of, has nothing: the files that it should have tell of that.
func (d *destination) foreign(dir string, listed map[string]bool) ([]Deviation, error) {
	if d.root == nil {
		return nil, nil
	}
	err := d.parent(dir)
	if errors.Is(err, errInTheWay) || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	opened, err := d.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	entries, err := opened.ReadDir(-1)
	var foreign []Deviation
	for _, entry := range entries {
		name := path.Join(dir, entry.Name())
		if !entry.IsDir() && !listed[name] {
			foreign = append(foreign, Deviation{name, ForeignFile, "is " + cmp.Or(unfinished(name), kind(entry.Type())+" that the manifest does not list")})
		}
	}
	return foreign, err
}

// unfinished describes the file that a killed installation left; "" if name is none.
func unfinished(name string) string {
	if strings.HasPrefix(path.Base(name), tempPrefix) {
		return "an unfinished file of a stopped installation"
	}
	return ""
}
