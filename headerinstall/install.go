package headerinstall

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"
)

// Install carries out a plan and returns the manifest that it has written. The manifest is
// written last: if Install fails, is stopped through ctx or is killed, each header is wholly old
// or wholly new, the last manifest is still there, and planning and installing again finishes
// the work. Two installations into one directory must not run at the same time.
func Install(ctx context.Context, p Plan) (Manifest, error) {
	m := p.Manifest()
	if err := install(ctx, p, m); err != nil {
		return Manifest{}, fmt.Errorf("installing headers into %s: %w", p.Config.Dest, err)
	}
	return m, nil
}

func install(ctx context.Context, p Plan, m Manifest) error {
	root, err := openOrMakeDir(p.Config.Dest)
	if err != nil {
		return err
	}
	defer root.Close()
	in := installer{config: p.Config, root: root, swept: map[string]bool{}, made: map[string]bool{}}

	// What is new comes before what goes: a directory that is still needed is never empty then.
	for _, pass := range []func(Entry) error{in.sweep, in.put, in.prune} {
		for _, e := range p.Entries {
			if ctx.Err() != nil {
				return fmt.Errorf("stopped before %q, install again to finish: %w", e.Destination, context.Cause(ctx))
			}
			if err := pass(e); err != nil {
				return err
			}
		}
	}
	if err := m.write(p.Config.Manifest); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return nil
}

// installer carries out one plan.
type installer struct {
	config Config
	root   *os.Root        // the destination directory
	swept  map[string]bool // directories without unfinished files
	made   map[string]bool // directories that exist
}

// sweep removes the unfinished files that a killed run left beside an entry.
func (in *installer) sweep(e Entry) error {
	dir := path.Dir(e.Destination)
	if in.swept[dir] || e.Action == Kept {
		return nil
	}
	in.swept[dir] = true
	f, err := in.root.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	present, err := f.ReadDir(-1)
	if err != nil {
		return err
	}
	for _, p := range present {
		if !p.Type().IsRegular() || !strings.HasPrefix(p.Name(), tempPrefix) {
			continue
		}
		if err := in.root.Remove(path.Join(dir, p.Name())); err != nil {
			return err
		}
	}
	return nil
}

// put makes an entry's destination what the plan wants it to be.
func (in *installer) put(e Entry) error {
	switch e.Action {
	case New:
		if _, err := in.root.Lstat(e.Destination); !errors.Is(err, fs.ErrNotExist) {
			return cmp.Or(err, changedSince(e.Destination))
		}
		return in.write(e)
	case Changed:
		return in.write(e)
	case Same:
		return in.repairMode(e)
	}
	return nil
}

// write copies the source to an unfinished file beside the destination, which then takes the
// destination's place. Nothing is synced: after a crash of the machine a content that is not the
// planned one is seen, and replaced, by the next run, and syncing each file costs tens of times
// what writing it does.
func (in *installer) write(e Entry) error {
	dir := path.Dir(e.Destination)
	if !in.made[dir] {
		if err := makeDirs(in.root, dir); err != nil {
			return err
		}
		in.made[dir] = true
	}
	source, err := openRegular(os.OpenFile, in.config.onDisk(e.Source))
	if err != nil {
		return err
	}
	defer source.Close()

	temp := path.Join(dir, tempPrefix+rand.Text())
	if err := in.fill(temp, source, e); err != nil {
		// The first error is the one to report; a leftover is swept by the next run.
		_ = in.root.Remove(temp)
		return err
	}
	return nil
}

func (in *installer) fill(temp string, source *os.File, e Entry) error {
	f, err := in.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	digest, _, err := copyDigest(f, source)
	if err != nil {
		return err
	}
	if digest != e.SHA256 {
		return changedSince(e.Source)
	}
	if err := f.Chmod(fs.FileMode(e.Mode)); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if t := in.config.ModTime; t != nil {
		// By name, as os.File has no Chtimes; the name is ours alone.
		if err := in.root.Chtimes(temp, time.Time{}, *t); err != nil {
			return err
		}
	}
	return in.root.Rename(temp, e.Destination)
}

// repairMode gives a file that has the right content the right mode.
func (in *installer) repairMode(e Entry) error {
	info, err := in.root.Lstat(e.Destination)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return changedSince(e.Destination)
	}
	if info.Mode() == fs.FileMode(e.Mode) {
		return nil
	}
	f, err := openRegular(in.root.OpenFile, e.Destination)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Chmod(fs.FileMode(e.Mode))
}

// prune removes a stale file, and the directories that become empty by it.
func (in *installer) prune(e Entry) error {
	if e.Action != Stale {
		return nil
	}
	digest, _, err := digestFile(in.root.OpenFile, e.Destination)
	if err != nil {
		return err
	}
	if digest != e.SHA256 {
		return changedSince(e.Destination)
	}
	if err := in.root.Remove(e.Destination); err != nil {
		return err
	}
	for dir := path.Dir(e.Destination); dir != "."; dir = path.Dir(dir) {
		if removed, err := removeIfEmpty(in.root, dir); !removed {
			return err
		}
	}
	return nil
}

// removeIfEmpty removes a directory, unless something is in it.
func removeIfEmpty(root *os.Root, dir string) (removed bool, err error) {
	err = root.Remove(dir)
	if isNotEmpty(err) {
		return false, nil
	}
	return err == nil, err
}

// isNotEmpty tells the two errors that POSIX allows for a directory that is not empty.
func isNotEmpty(err error) bool {
	return errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST)
}

// changedSince is the error of an installation that finds something else than its plan did.
func changedSince(name string) error {
	return fmt.Errorf("%q changed since it was planned; plan again", name)
}
