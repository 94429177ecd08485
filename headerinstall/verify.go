package headerinstall

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
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

// Verify compares the destination directory with what an installation into it has recorded. Of c it needs Dest and Manifest,
// and heeds Stage. It looks for foreign files in the directories that lead to the manifest's files, Dest among them, and
// not in others. What cannot be read is in the error, and the Report has all the rest; without a manifest there is nothing to
// compare with, and Deviations is nil. A Dest that does not exist misses everything.
func Verify(ctx context.Context, c Config) (Report, error) {
	r, err := verify(ctx, c)
	if err != nil {
		err = fmt.Errorf("verifying the headers in %s: %w", c.Dest, err)
	}
	return r, err
}

func verify(ctx context.Context, c Config) (Report, error) {
	var all recorder
	if _, err := recordManifest(c.Manifest, &all); err != nil {
		return Report{}, fmt.Errorf("reading the manifest: %w", err)
	}
	v := verifier{listed: all.table(), deviations: []Deviation{}}
	d, err := c.openDest()
	if err == nil {
		defer d.close()
		v.survey = &survey{dest: d}
		err = v.run(ctx)
	}
	slices.SortFunc(v.deviations, func(a, b Deviation) int { return strings.Compare(a.Destination, b.Destination) })
	return Report{Headers: len(v.listed.rows), Deviations: v.deviations}, err
}

func (v *verifier) run(ctx context.Context) error {
	files := dealer{table: &v.listed, wanted: anyRow}
	if err := files.run(ctx, v.batch); err != nil {
		return err
	}
	dirs := dirSet{".": true}
	v.listed.directories(dirs, anyRow)
	err := each(ctx, slices.Sorted(maps.Keys(dirs)), v.directory)
	if err == nil && len(v.unread) > 0 {
		slices.SortFunc(v.unread, func(a, b *Problem) int { return strings.Compare(a.Path, b.Path) })
		err = problemList(v.unread)
	}
	return err
}

// verifier collects how a tree deviates.
type verifier struct {
	*survey
	listed table

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

func (v *verifier) batch(w *worker, b *batch) error {
	p := v.open(b.dir)
	defer p.dir.close()
	for i := range b.headers {
		h := &b.headers[i]
		deviation, err := p.deviation(w, h)
		if deviation != nil || err != nil {
			v.add(deviation, h.destination(), err)
		}
	}
	return nil
}

// deviation returns how a destination differs from what was installed there; nil if it does not.
func (p *place) deviation(w *worker, h *header) (*Deviation, error) {
	changed := func(format string, args ...any) (*Deviation, error) {
		return &Deviation{h.destination(), ChangedFile, fmt.Sprintf(format, args...)}, nil
	}
	if p.inTheWay != nil {
		return changed("cannot be reached: %v", p.inTheWay)
	}
	there, err := p.look(h.name)
	mode := modeOf(&there.Stat_t)
	switch {
	case err != nil:
		return nil, err
	case !there.exists:
		return &Deviation{h.destination(), MissingFile, "is not there"}, nil
	case !there.isRegular():
		return changed("is %s", kind(mode))
	case there.Size != *h.size():
		return changed("has other content: %d bytes, was installed with %d", there.Size, *h.size())
	}
	ours, err := p.isOwned(w, h, &there)
	switch {
	case err != nil:
		return nil, err
	case !ours:
		return changed("has other content of the same size")
	case mode != fs.FileMode(h.mode()):
		return changed("has mode %v, was installed with %v", mode, fs.FileMode(h.mode()))
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
	to := ""
	if name != "." {
		to = name + "/"
	}
	err = d.each(w.buffer(), func(entry []byte, kind byte) {
		base := asString(entry)
		what := unfinished(base, kind)
		if what == "" {
			if _, isListed := v.listed.find(to, base); isListed || kind == unix.DT_DIR {
				return
			}
			what = kindOf(kind) + " that the manifest does not list"
		}
		v.add(&Deviation{to + string(entry), ForeignFile, "is " + what}, "", nil)
	})
	if err != nil {
		v.add(nil, name, err)
	}
	return nil
}

// unfinished describes what a killed installation has left; "" if that is not it.
func unfinished(name string, kind byte) string {
	switch {
	case !strings.HasPrefix(name, tempPrefix):
		return ""
	case kind == unix.DT_DIR:
		return "an unfinished directory of a stopped installation"
	}
	return "an unfinished file of a stopped installation"
}
