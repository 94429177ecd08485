package headerinstall

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// destination is the destination directory as it is now. Its zero root stands for a directory
// that does not exist yet: nothing is in it.
type destination struct {
	root    *os.Root
	parents map[string]error // what stands in the way of each directory looked at; nil if nothing does
}

// present is what lies at a destination.
type present struct {
	mode   fs.FileMode
	size   int64
	digest Digest // of a regular file
}

// errInTheWay marks a parent that is no directory. A symbolic link is none, wherever it leads.
var errInTheWay = errors.New("in the way")

func openDestination(dir string) (*destination, error) {
	root, err := os.OpenRoot(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("opening the destination directory: %w", err)
	}
	return &destination{root: root, parents: map[string]error{".": nil}}, nil
}

func (d *destination) Close() error {
	if d.root == nil {
		return nil
	}
	return d.root.Close()
}

// look returns what lies at name: nil if nothing does. It reads a regular file only if it is of
// the given size in bytes: any other differs anyway.
func (d *destination) look(name string, size int64) (*present, error) {
	if d.root == nil {
		return nil, nil
	}
	err := d.parent(path.Dir(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	info, err := d.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := &present{mode: info.Mode(), size: info.Size()}
	if info.Mode().IsRegular() && info.Size() == size {
		p.digest, p.size, err = digestFile(d.root.OpenFile, name)
	}
	return p, err
}

// holds says whether a regular file with the content of f is there.
func (p *present) holds(f File) bool {
	return p.mode.IsRegular() && p.size == f.Size && p.digest == f.SHA256
}

// parent returns nil if dir is a directory, reached through directories only.
func (d *destination) parent(dir string) error {
	if err, ok := d.parents[dir]; ok {
		return err
	}
	err := d.parent(path.Dir(dir))
	if err == nil {
		err = isDir(d.root, dir)
	}
	d.parents[dir] = err
	return err
}

// isDir returns nil if name is a directory; a symbolic link to one is none.
func isDir(root *os.Root, name string) error {
	info, err := root.Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %q is %s", errInTheWay, name, kind(info.Mode()))
	}
	return nil
}

// openOrMakeDir opens a directory outside the destination, or the destination itself, making it
// and its parents when missing.
func openOrMakeDir(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(dir) == dir {
		return root, err
	}
	parent, err := openOrMakeDir(filepath.Dir(dir))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	if err := makeDir(parent, filepath.Base(dir)); err != nil {
		return nil, err
	}
	return parent.OpenRoot(filepath.Base(dir))
}

// makeDirs makes a directory and its parents below root. Those that exist are left as they are.
func makeDirs(root *os.Root, dir string) error {
	for i := range len(dir) + 1 {
		if i < len(dir) && dir[i] != '/' {
			continue
		}
		err := isDir(root, dir[:i])
		if errors.Is(err, fs.ErrNotExist) {
			err = makeDir(root, dir[:i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// makeDir makes one directory, with DirMode whatever the umask.
func makeDir(root *os.Root, name string) error {
	if err := root.Mkdir(name, DirMode); err != nil {
		return err
	}
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Chmod(DirMode)
}
