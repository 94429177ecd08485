package headerinstall

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// A Removal is what an uninstallation did with the files that the manifest lists.
type Removal struct {
	Removed []string    `json:"removed"` // sorted
	Gone    []string    `json:"gone"`    // were not there any more; sorted
	Kept    []Deviation `json:"kept"`    // were changed, and are left there; sorted by destination
}

// ErrNothingInstalled is the error of uninstalling from a directory that has no file of the manifest.
var ErrNothingInstalled = errors.New("none of the manifest's headers is there; check the directory, or remove the manifest if they are gone for good")

// Uninstall removes from the destination directory the files that the manifest lists, and those of a killed
// installation, save the ones that have another content or type than was installed; then the directories that are
// empty without them, the destination among them; and last the manifest. Of c it needs Dest and Manifest, and heeds Stage
// and Waiting. If Uninstall fails, is stopped through ctx or is killed, uninstalling again finishes the work. That none of
// the files is there is an error, ErrNothingInstalled: Dest is probably not where they were installed.
func Uninstall(ctx context.Context, c Config) (Removal, error) {
	r, err := uninstall(ctx, c)
	if err != nil {
		err = fmt.Errorf("uninstalling headers from %s: %w", c.Dest, err)
	}
	return r, err
}

func uninstall(ctx context.Context, c Config) (Removal, error) {
	u := uninstaller{removal: Removal{Removed: []string{}, Gone: []string{}, Kept: []Deviation{}}}
	dest, err := c.lockDest(ctx)
	if err != nil {
		return u.removal, err
	}
	defer dest.close()
	last, err := readRecord(c.Manifest)
	if err == nil && !last.hasManifest && !last.interrupted {
		err = fmt.Errorf("reading the manifest: %w", &fs.PathError{Op: "open", Path: c.Manifest, Err: unix.ENOENT})
	}
	if err != nil {
		return u.removal, err
	}
	u.survey, u.last = &survey{config: &c, dest: dest}, &last
	// Of an uninstallation that was killed, or an installation that was and never had a manifest, all may be gone.
	if last.hasManifest && !last.removing {
		if err := u.check(ctx); err != nil {
			return u.removal, err
		}
	}
	return u.removal, u.run(ctx)
}

// uninstaller removes what was installed.
type uninstaller struct {
	*survey
	last *record

	mu      sync.Mutex
	removal Removal
}

// check returns an error if none of the files is there.
func (u *uninstaller) check(ctx context.Context) error {
	any := false
	err := u.each(ctx, func(_ *worker, p *place, b *batch) error {
		for i := range b.headers {
			if there, err := p.look(b.headers[i].name); err != nil || there.exists || p.inTheWay != nil {
				u.mu.Lock()
				any = true
				u.mu.Unlock()
			}
		}
		return nil
	})
	if err == nil && !any {
		err = ErrNothingInstalled
	}
	return u.stopped(ctx, err)
}

// each has workers do all that was installed, batch by batch, each with the place that its headers are in.
func (u *uninstaller) each(ctx context.Context, do func(*worker, *place, *batch) error) error {
	d := dealer{table: &u.last.installed, wanted: anyRow}
	return d.run(ctx, func(w *worker, b *batch) error {
		p := u.open(b.dir)
		defer p.dir.close()
		return do(w, &p, b)
	})
}

func (u *uninstaller) stopped(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return fmt.Errorf("stopped, uninstall again to finish: %w", err)
	}
	return err
}

func (u *uninstaller) run(ctx context.Context) error {
	journal := newJournal(u.config.Manifest, u.last)
	defer journal.close()
	if err := journal.write([]byte(removingLine)); err != nil {
		return err
	}
	err := u.each(ctx, func(w *worker, p *place, b *batch) error {
		for i := range b.headers {
			if err := u.remove(p, w, &b.headers[i]); err != nil {
				return err
			}
		}
		return nil
	})
	slices.Sort(u.removal.Removed)
	slices.Sort(u.removal.Gone)
	slices.SortFunc(u.removal.Kept, func(a, b Deviation) int { return cmp.Compare(a.Destination, b.Destination) })
	if err != nil {
		return u.stopped(ctx, err)
	}
	dirs := slices.Sorted(maps.Keys(u.last.directories()))
	if u.last.interrupted && u.dest.exists() {
		if err := sweep(ctx, u.dest, func() []string { return dirs }); err != nil {
			return u.stopped(ctx, err)
		}
	}
	if err := removeEmptyDirs(u.dest, dirs); err != nil {
		return err
	}
	if err := u.removeDest(); err != nil {
		return err
	}
	if err := os.Remove(u.config.Manifest); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the manifest: %w", err)
	}
	return journal.remove()
}

// remove removes a file that has the content that was installed, whatever its mode.
func (u *uninstaller) remove(p *place, w *worker, h *header) error {
	name := h.destination()
	there, err := p.look(h.name)
	var ours bool
	if err == nil && p.inTheWay == nil {
		ours, err = p.isOwned(w, h, &there)
	}
	if err != nil {
		return unreadable(name, err)
	}
	if ours {
		if err := p.dir.remove(h.name); err != nil {
			return fmt.Errorf("removing %q: %w", name, err)
		}
	}
	var kept *Deviation
	if !ours && (there.exists || p.inTheWay != nil) {
		if kept, err = p.deviation(w, h); err != nil {
			return unreadable(name, err)
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case ours:
		u.removal.Removed = append(u.removal.Removed, name)
	case kept != nil:
		u.removal.Kept = append(u.removal.Kept, *kept)
	default:
		u.removal.Gone = append(u.removal.Gone, name)
	}
	return nil
}

// removeDest removes the destination directory, if it is empty and a directory by itself.
func (u *uninstaller) removeDest() error {
	if !u.dest.exists() {
		return nil
	}
	var err error
	if u.config.Stage == "" {
		// Not os.Remove, which would take a symbolic link to a directory for a file.
		err = unix.Rmdir(u.config.Dest)
	} else {
		err = u.removeStagedDest()
	}
	for _, stays := range []error{unix.ENOENT, unix.ENOTDIR, unix.EBUSY, unix.EINVAL} {
		if errors.Is(err, stays) {
			return nil // gone, a symbolic link, a mount point, the current directory
		}
	}
	if err != nil && !isNotEmpty(err) {
		return fmt.Errorf("removing %s: %w", u.config.Dest, err)
	}
	return nil
}

func (u *uninstaller) removeStagedDest() error {
	root, below, err := openStage(u.config.Stage, u.config.Dest)
	if err != nil {
		return err
	}
	defer root.Close()
	if info, err := root.Lstat(below); err != nil || !info.IsDir() || below == "." {
		return err
	}
	return root.Remove(below)
}
