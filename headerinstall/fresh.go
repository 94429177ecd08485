package headerinstall

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"path"
	"slices"

	"golang.org/x/sys/unix"
)

// freshDirs are the directories that an installation makes in ones that are there, each with the path that it has until
// it is whole. What belongs into it is written there under its own name, which takes less than naming each file once it is
// whole, and all of it appears at once.
type freshDirs map[string]string

func (f freshDirs) add(name string) { f[name] = path.Join(dirOf(name), tempPrefix+rand.Text()) }

// path is where a directory is while the installation works, and whether that is in a fresh one.
func (f freshDirs) path(name string) (at string, fresh bool) {
	if top := f.top(name); top >= 0 {
		return f[name[:top]] + name[top:], true
	}
	return name, false
}

// holds says whether a directory is, or lies in, a fresh one.
func (f freshDirs) holds(name string) bool { return f.top(name) >= 0 }

// top is the length of the part of a path that leads to a fresh directory; -1 for none.
func (f freshDirs) top(name string) int {
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		if _, ok := f[name[:i]]; ok {
			return i
		}
	}
	return -1
}

// nameDirs gives the fresh directories their names, unless something has got one meanwhile.
func (in *installer) nameDirs(context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(in.fresh)) {
		parent, err := in.dest.sub(dirOf(name))
		if err != nil {
			return in.unreachable(dirOf(name), err)
		}
		err = parent.renameToNew(path.Base(in.fresh[name]), path.Base(name))
		parent.close()
		if err == unix.EEXIST {
			return changedSince(name)
		}
		if err != nil {
			return fmt.Errorf("naming the directory %q: %w", name, err)
		}
		delete(in.fresh, name)
	}
	return nil
}

// discardDirs removes the fresh directories that have not got their names. A leftover is swept by the next run.
func (in *installer) discardDirs() {
	buf := make([]byte, 4<<10)
	for name, at := range in.fresh {
		if parent, err := in.dest.sub(dirOf(name)); err == nil {
			_ = parent.removeAll(path.Base(at), buf)
			parent.close()
		}
	}
}
