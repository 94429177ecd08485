package headerinstall

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Install carries out a plan and returns the manifest that it has written. The manifest is
// written last: if Install fails, is stopped through ctx or is killed, each header is wholly old
// or wholly new, and planning and installing again ends in exactly the tree that is planned then. It waits for
// another installation or removal at work in the destination, and fails if there was one since the plan was made.
func Install(ctx context.Context, p Plan) (Manifest, error) {
	m, err := installLocked(ctx, p)
	if err != nil {
		return Manifest{}, fmt.Errorf("installing headers into %s: %w", p.Config.Dest, err)
	}
	return m, nil
}

func installLocked(ctx context.Context, p Plan) (Manifest, error) {
	if p.Config.Dest == "" {
		return Manifest{}, errors.New("the plan is empty; make one by NewPlan")
	}
	if err := p.Config.makeDest(); err != nil {
		return Manifest{}, err
	}
	dest, err := p.Config.lockDest(ctx)
	if err != nil {
		return Manifest{}, err
	}
	defer dest.close()
	current, err := p.last.isCurrent(p.Config.Manifest)
	if err == nil && !current {
		err = errors.New("another installation or removal worked there since this one was planned; plan again")
	}
	if err != nil {
		return Manifest{}, err
	}
	if err := install(ctx, &p, dest); err != nil {
		return Manifest{}, err
	}
	return p.Manifest(), nil
}

// install carries out a plan, and fills in the digests that it lacks.
func install(ctx context.Context, p *Plan, dest dir) error {
	if !dest.exists() {
		return errors.New("the destination directory was removed; install again")
	}
	in := installer{
		plan: p, dest: dest, fresh: freshDirs{}, start: time.Now(),
		journal: newJournal(p.Config.Manifest, &p.last),
	}
	defer in.journal.close()
	defer in.discardDirs()
	steps := []func(context.Context) error{in.sweep, in.makeDirs, in.write, in.nameDirs, in.repair, in.prune, in.finish}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
				return fmt.Errorf("stopped, install again to finish: %w", err)
			}
			return err
		}
	}
	return nil
}

// installer carries out one plan.
type installer struct {
	plan    *Plan
	dest    dir // the destination directory
	fresh   freshDirs
	journal *journal
	start   time.Time
}

// sweep removes what a killed run has left unfinished in the directories of its headers and of ours.
// One that got as far as its manifest has left nothing.
func (in *installer) sweep(ctx context.Context) error {
	if in.plan.last.hasManifest && !in.plan.last.interrupted {
		return nil
	}
	return sweep(ctx, in.dest, func() []string {
		dirs := in.plan.last.directories()
		in.plan.headers.directories(dirs, anyRow)
		return slices.Sorted(maps.Keys(dirs))
	})
}

// sweep removes unfinished files and directories from those directories below dest that there are.
func sweep(ctx context.Context, dest dir, names func() []string) error {
	buf := make([]byte, 32<<10)
	if entries, err := dest.entries(buf); err != nil || len(entries) == 0 {
		return err
	}
	for _, name := range names() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := sweepDir(dest, name, buf); err != nil && err != unix.ENOENT && !isInTheWay(err) {
			return fmt.Errorf("sweeping %q: %w", name, err)
		}
	}
	return nil
}

func sweepDir(dest dir, name string, buf []byte) error {
	d, err := dest.sub(name)
	if err != nil {
		return err
	}
	defer d.close()
	entries, err := d.list(buf)
	for _, e := range entries {
		if err != nil || !strings.HasPrefix(e.name, tempPrefix) {
			continue
		}
		switch e.kind {
		case unix.DT_REG:
			err = d.remove(e.name)
		case unix.DT_DIR:
			err = d.removeAll(e.name, buf)
		}
	}
	return err
}

// makeDirs makes the directories that are missing, the topmost of them as unfinished ones.
func (in *installer) makeDirs(context.Context) error {
	isNew := func(r *row) bool { return r.action == rowNew }
	lines := make([]byte, 0, 2*journalBlock)
	err := in.plan.headers.eachDir(isNew, func(name string, _ int) error {
		if !in.fresh.holds(name) {
			d, err := in.dest.sub(name)
			d.close()
			if err == nil {
				return nil
			}
			if err != unix.ENOENT {
				return in.unreachable(name, err)
			}
			in.fresh.add(name)
		}
		lines = appendDir(lines, name)
		if len(lines) < journalBlock {
			return nil
		}
		err := in.journal.write(lines)
		lines = lines[:0]
		return err
	})
	if err == nil && len(lines) > 0 {
		err = in.journal.write(lines)
	}
	if err != nil || len(in.fresh) == 0 {
		return err
	}
	return in.plan.headers.eachDir(isNew, func(name string, _ int) error {
		if !in.fresh.holds(name) {
			return nil
		}
		at := in.fresh.path(name)
		above, base := at.split()
		parent, err := in.dest.subAt(above)
		if err == nil {
			err = parent.make(base)
			parent.close()
		}
		if err != nil {
			return fmt.Errorf("making the directory %q: %w", name, err)
		}
		return nil
	})
}

// unreachable is the error of opening a directory that something may be in the way of.
func (in *installer) unreachable(name string, err error) error {
	if isInTheWay(err) {
		return fmt.Errorf("%w; %s", inTheWay(in.dest, name), advice[FileVersusDir])
	}
	return fmt.Errorf("opening the directory %q: %w", name, err)
}

// write puts what is new or changed there.
func (in *installer) write(ctx context.Context) error {
	d := dealer{table: &in.plan.headers, wanted: func(r *row) bool { return r.action.isWritten() }}
	return d.run(ctx, in.writeBatch)
}

// writeBatch writes all files of a batch before it gives the first of them its name, so that one write tells the
// journal of all.
func (in *installer) writeBatch(w *worker, b *batch) error {
	at := in.fresh.path(b.dir)
	d, err := in.dest.subAt(at)
	if err != nil {
		return in.unreachable(b.dir, err)
	}
	defer d.close()
	b.staged, b.lines = b.staged[:0], b.lines[:0]
	defer func() {
		for i := range b.staged {
			b.staged[i].discard()
		}
	}()
	for i := range b.headers {
		h := &b.headers[i]
		s, err := in.stage(w, d, h, at.isFresh())
		if err != nil {
			return err
		}
		b.staged = append(b.staged, s)
		b.lines = h.appendJournal(b.lines)
	}
	if err := in.journal.write(b.lines); err != nil {
		return err
	}
	for i := range b.staged {
		if err := b.staged[i].commit(); err != nil {
			return err
		}
	}
	return nil
}

// repair gives files that have the right content the right mode and owner.
func (in *installer) repair(ctx context.Context) error {
	work := dealer{table: &in.plan.headers, wanted: func(r *row) bool { return r.has(needsRepair) }}
	return work.run(ctx, func(_ *worker, b *batch) error {
		d, err := in.dest.sub(b.dir)
		if err != nil {
			return in.unreachable(b.dir, err)
		}
		defer d.close()
		for i := range b.headers {
			h := &b.headers[i]
			if err := repairFile(d, h.name); err != nil {
				return fmt.Errorf("repairing the mode of %q: %w", h.destination(), err)
			}
		}
		return nil
	})
}

func repairFile(d dir, name string) error {
	opened, err := d.open(name)
	if err != nil {
		return err
	}
	fd, _, err := checkRegular(opened)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return settle(fd, fileMode)
}

// prune removes stale files, and the directories that become empty by it or that a killed run has made. What is
// new has been written by then: a directory that is still needed is not empty.
func (in *installer) prune(ctx context.Context) error {
	stale := dealer{table: &in.plan.outlived, wanted: func(r *row) bool { return r.action == rowStale }}
	err := stale.run(ctx, func(w *worker, b *batch) error {
		d, err := in.dest.sub(b.dir)
		if err != nil {
			return in.unreachable(b.dir, err)
		}
		defer d.close()
		for i := range b.headers {
			if err := removeStale(w, d, &b.headers[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	// A killed run may have removed the files, and not got to their directories.
	dirs := dirSet{".": true}
	in.plan.outlived.directories(dirs, anyRow)
	for _, name := range in.plan.last.dirs {
		dirs[name] = true
	}
	return removeEmptyDirs(in.dest, slices.Sorted(maps.Keys(dirs)))
}

func removeStale(w *worker, d dir, h *header) error {
	p := place{dir: d}
	there, err := p.look(h.name)
	var ours bool
	if err == nil {
		ours, err = p.isOwned(w, h, &there)
	}
	if err == nil && !ours {
		return changedSince(h.destination())
	}
	if err == nil {
		err = d.remove(h.name)
	}
	if err != nil {
		return fmt.Errorf("removing %q: %w", h.destination(), err)
	}
	return nil
}

// removeEmptyDirs removes those of the directories that are empty, the deepest first; names are sorted.
func removeEmptyDirs(dest dir, names []string) error {
	for _, name := range slices.Backward(names) {
		if name == "." {
			continue
		}
		parent, err := dest.sub(path.Dir(name))
		if err == nil {
			err = parent.removeDir(path.Base(name))
			parent.close()
		}
		if err != nil && err != unix.ENOENT && !isNotEmpty(err) && !isInTheWay(err) && err != unix.EBUSY { // EBUSY: a mount point
			return fmt.Errorf("removing the directory %q: %w", name, err)
		}
	}
	return nil
}

// finish writes the manifest.
func (in *installer) finish(context.Context) error {
	if in.plan.Config.Sync {
		if err := unix.Syncfs(int(in.dest)); err != nil {
			return fmt.Errorf("writing the file system out: %w", err)
		}
	}
	c := &in.plan.Config
	if !in.plan.isRecorded {
		if err := in.journal.write(nil); err != nil { // so that an unfinished manifest is swept
			return err
		}
		if err := writeManifestFile(c.Manifest, c.strip(), &in.plan.headers, c.Sync); err != nil {
			return fmt.Errorf("writing the manifest: %w", err)
		}
	}
	return in.journal.remove()
}

// changedSince is the error of an installation that finds something else than its plan did.
func changedSince(name string) error {
	return fmt.Errorf("%q changed since it was planned; plan again", name)
}
