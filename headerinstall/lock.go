package headerinstall

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// openDest opens the destination directory; it is noDir if there is none.
func (c Config) openDest() (dir, error) {
	d, err := openStaged(c.Stage, c.Dest)
	if errors.Is(err, fs.ErrNotExist) {
		return noDir, nil
	}
	if err != nil {
		return noDir, fmt.Errorf("opening the destination directory: %w", err)
	}
	return d, nil
}

// openStaged opens a destination, which no symbolic link may lead out of the stage, if there is one.
func openStaged(stage, dest string) (dir, error) {
	if stage == "" {
		d, err := openDir(dest)
		if err != nil {
			return noDir, &fs.PathError{Op: "open", Path: dest, Err: err}
		}
		return d, nil
	}
	root, below, err := openStage(stage, dest)
	if err != nil {
		return noDir, err
	}
	defer root.Close()
	f, err := root.OpenFile(below, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		if link := linkOut(root, below); link != "" {
			err = fmt.Errorf("%q in %s is a symbolic link that leaves it; remove the link, or stage where it leads", link, stage)
		}
		return noDir, err
	}
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	return dir(fd), err
}

// linkOut returns the part of a path that is a symbolic link out of the root, or nothing.
func linkOut(root *os.Root, name string) string {
	for end := range len(name) + 1 {
		if end < len(name) && name[end] != filepath.Separator {
			continue
		}
		part := name[:end]
		info, err := root.Lstat(part)
		if err != nil {
			break
		}
		if info.Mode().Type() != fs.ModeSymlink {
			continue
		}
		if _, err := root.Stat(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return part
		}
	}
	return ""
}

// openStage opens the stage, and returns the path of the destination below it.
func openStage(stage, dest string) (root *os.Root, below string, err error) {
	below, err = filepath.Rel(stage, dest)
	if err != nil || !filepath.IsLocal(below) {
		return nil, "", fmt.Errorf("the destination %s is not below the stage %s", dest, stage)
	}
	root, err = os.OpenRoot(stage)
	return root, below, err
}

// makeDest makes the destination directory and its parents.
func (c Config) makeDest() error {
	if c.Stage == "" {
		return makeAll(c.Dest)
	}
	if err := makeAll(c.Stage); err != nil {
		return err
	}
	root, below, err := openStage(c.Stage, c.Dest)
	if err != nil {
		return err
	}
	defer root.Close()
	return makeAllIn(root, below)
}

// makeAllIn is makeAll, in a stage.
func makeAllIn(root *os.Root, name string) error {
	err := root.Mkdir(name, DirMode)
	if errors.Is(err, fs.ErrNotExist) && filepath.Dir(name) != "." {
		if err := makeAllIn(root, filepath.Dir(name)); err != nil {
			return err
		}
		err = root.Mkdir(name, DirMode)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return settle(int(f.Fd()), DirMode)
}

// lockDest opens the destination directory and locks it against other installations and removals, waiting for
// one at work. It returns noDir if there is no such directory. The lock goes with the directory's close. It is
// flock(2)'s: a killed process leaves none behind.
func (c Config) lockDest(ctx context.Context) (dir, error) {
	for {
		d, err := c.openDest()
		if err != nil || !d.exists() {
			return d, err
		}
		err = flock(ctx, d, c.Waiting)
		if err == nil {
			var current bool
			if current, err = c.isDest(d); current {
				return d, nil
			}
		}
		d.close()
		if err != nil {
			return noDir, fmt.Errorf("locking the destination directory: %w", err)
		}
		// It was removed, and maybe made anew, before it was locked.
	}
}

// isDest says whether an open directory is still the destination.
func (c Config) isDest(d dir) (bool, error) {
	now, err := c.openDest()
	if err != nil || !now.exists() {
		return false, err
	}
	defer now.close()
	one, err := d.statSelf()
	if err != nil {
		return false, err
	}
	other, err := now.statSelf()
	return one.Ino == other.Ino && one.Dev == other.Dev, err
}

func flock(ctx context.Context, d dir, waiting func()) error {
	err := lockRetrying(d, unix.LOCK_EX|unix.LOCK_NB)
	if err != unix.EWOULDBLOCK {
		return lockError(err)
	}
	if waiting != nil {
		waiting()
	}
	// A second descriptor of the same open file has the same lock, and keeps it from a close of d.
	own, err := unix.FcntlInt(uintptr(d), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return err
	}
	locked := make(chan error, 1)
	go func() {
		defer unix.Close(own)
		locked <- lockRetrying(dir(own), unix.LOCK_EX)
	}()
	select {
	case err := <-locked:
		return lockError(err)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func lockRetrying(d dir, how int) error {
	for {
		if err := unix.Flock(int(d), how); err != unix.EINTR {
			return err
		}
	}
}

// lockError forgives file systems that lock no directories, as NFS: nothing better can be done there.
func lockError(err error) error {
	for _, cannot := range []error{unix.ENOLCK, unix.EBADF, unix.EOPNOTSUPP, unix.ENOSYS, unix.EINVAL} {
		if err == cannot {
			return nil
		}
	}
	return err
}
