package headerinstall

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
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

// Verify compares the destination directory with what an installation into it has recorded. Of c it needs Dest, and
// heeds Stage. It looks for foreign files in the directories that lead to the manifest's files, Dest among them, and
// not in others. What cannot be read is in the error, and the Report has all the rest. A Dest that
// does not exist misses everything.
func Verify(ctx context.Context, m Manifest, c Config) (Report, error) {
	r, err := verify(ctx, m, c)
	if err != nil {
		err = fmt.Errorf("verifying the headers in %s: %w", c.Dest, err)
	}
	return r, err
}

func verify(ctx context.Context, m Manifest, c Config) (Report, error) {
	d, err := c.openDest()
	if err != nil {
		return Report{Headers: len(m.Files), Deviations: []Deviation{}}, err
	}
	defer d.close()
	v := verifier{survey: &survey{dest: d}, deviations: []Deviation{}, listed: make(map[string]bool, len(m.Files))}
	entries := ownedEntries(m.Files)
	for _, e := range entries {
		v.listed[e.Destination] = true
	}
	err = each(ctx, groups(pointers(entries, anyEntry)), v.group)
	if err == nil {
		err = each(ctx, directories(m.Files), v.directory)
	}
	slices.SortFunc(v.deviations, func(a, b Deviation) int { return strings.Compare(a.Destination, b.Destination) })
	slices.SortFunc(v.unread, func(a, b *Problem) int { return strings.Compare(a.Path, b.Path) })
	if err == nil && len(v.unread) > 0 {
		err = problemList(v.unread)
	}
	return Report{Headers: len(m.Files), Deviations: v.deviations}, err
}

// verifier collects how a tree deviates.
type verifier struct {
	*survey
	listed map[string]bool

	mu         sync.Mutex
	deviations []Deviation
	unread     []*Problem
}

func (v *verifier) add(deviation *Deviation, name string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil {
		v.unread = append(v.unread, unreadable(name, err))
	}
	if deviation != nil {
		v.deviations = append(v.deviations, *deviation)
	}
}

func (v *verifier) group(w *worker, g group) error {
	p := v.open(g.dir)
	defer p.dir.close()
	for _, e := range g.entries {
		deviation, err := p.deviation(w, e)
		v.add(deviation, e.Destination, err)
	}
	return nil
}

// deviation returns how the file at e's destination differs from e; nil if it does not.
func (p *place) deviation(w *worker, e *Entry) (*Deviation, error) {
	changed := func(format string, args ...any) (*Deviation, error) {
		return &Deviation{e.Destination, ChangedFile, fmt.Sprintf(format, args...)}, nil
	}
	if p.inTheWay != nil {
		return changed("cannot be reached: %v", p.inTheWay)
	}
	there, err := p.look(path.Base(e.Destination))
	mode := modeOf(&there.Stat_t)
	switch {
	case err != nil:
		return nil, err
	case !there.exists:
		return &Deviation{e.Destination, MissingFile, "is not there"}, nil
	case !there.isRegular():
		return changed("is %s", kind(mode))
	case there.Size != e.Size:
		return changed("has other content: %d bytes, was installed with %d", there.Size, e.Size)
	}
	ours, err := p.isOwned(w, e, &there)
	switch {
	case err != nil:
		return nil, err
	case !ours:
		return changed("has other content of the same size")
	case mode != fs.FileMode(e.Mode):
		return changed("has mode %v, was installed with %v", mode, fs.FileMode(e.Mode))
	}
	return nil, nil
}

// directory finds what lies in a directory, is not listed and is no directory. A directory that is
// missing, or that something is in the way of, has nothing: the files that it should have tell of that.
func (v *verifier) directory(w *worker, name string) error {
	d, err := v.dest.sub(name)
	if err == unix.ENOENT || isInTheWay(err) {
		return nil
	}
	if err != nil {
		v.add(nil, name, err)
		return nil
	}
	defer d.close()
	entries, err := d.list(make([]byte, 32<<10))
	if err != nil {
		v.add(nil, name, err)
	}
	for _, entry := range entries {
		below := path.Join(name, entry.name)
		what := unfinished(below, entry.kind)
		if what != "" || entry.kind != unix.DT_DIR && !v.listed[below] {
			what = cmp.Or(what, kindOf(entry.kind)+" that the manifest does not list")
			v.add(&Deviation{below, ForeignFile, "is " + what}, "", nil)
		}
	}
	return nil
}

// unfinished describes what a killed installation has left; "" if that is not it.
func unfinished(name string, kind byte) string {
	switch {
	case !strings.HasPrefix(path.Base(name), tempPrefix):
		return ""
	case kind == unix.DT_DIR:
		return "an unfinished directory of a stopped installation"
	}
	return "an unfinished file of a stopped installation"
}
