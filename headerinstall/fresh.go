package headerinstall

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// freshDirs are the directories that an installation makes in ones that are there, each with the path that it has until
// it is whole. What belongs into it is written there under its own name, which takes less than naming each file once it is
// whole, and all of it appears at once.
type freshDirs map[string]string

func (f freshDirs) add(name string) { f[name] = path.Join(dirOf(name), tempPrefix+rand.Text()) }

// A freshPath is where a directory is while an installation works: what it has made, and the path in that.
type freshPath struct {
	made  string // empty if the directory was there before
	below string // begins with a slash if it is in what was made
}

// path is where a directory is while the installation works.
func (f freshDirs) path(name string) freshPath {
	if top := f.top(name); top >= 0 {
		return freshPath{f[name[:top]], name[top:]}
	}
	return freshPath{"", name}
}

func (p freshPath) isFresh() bool { return p.made != "" }

// split returns the directory that a directory lies in, and its name there.
func (p freshPath) split() (above freshPath, name string) {
	if i := strings.LastIndexByte(p.below, '/'); i >= 0 {
		return freshPath{p.made, p.below[:i]}, p.below[i+1:]
	}
	return freshPath{"", dirOf(p.made)}, path.Base(p.made)
}

// subAt is sub of such a path, of which it makes no string.
func (d dir) subAt(p freshPath) (dir, error) { return d.subJoined(p.made, p.below) }

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
