package closure

import (
	"io/fs"
	"path"
)

// A searchPath finds what an include leads to, as cpp does: gcc/doc/cpp.texi, "Search Path".
type searchPath struct {
	tree   fs.FS
	exists map[string]bool // the tree's files
	links  bool            // the tree has links to directories
	system []Dir

	// Whether names are there that are not the tree's files: in a system directory, or in the tree through a link.
	known, linkedTo map[string]bool
}

// finds tells whether an include of a file in dir leads anywhere; own are that directory's files, and inTree whether it is the
// tree.
func (s *searchPath) finds(i include, file string, own map[string]bool, inTree bool) bool {
	if path.IsAbs(i.name) {
		return false
	}
	if i.form == quoted && own[path.Join(path.Dir(file), i.name)] {
		return true
	}
	name := path.Clean(i.name)
	if i.form == next && inTree {
		return s.inSystem(name)
	}
	return s.exists[name] || s.linked(name) || s.inSystem(name)
}

// linked finds a file of the tree that lies behind a link to a directory, which is not walked through.
func (s *searchPath) linked(name string) bool {
	return s.links && once(s.linkedTo, name, func() bool { return isFile(s.tree, name) })
}

func (s *searchPath) inSystem(name string) bool {
	return once(s.known, name, func() bool {
		for _, dir := range s.system {
			if isFile(dir.FS, name) {
				return true
			}
		}
		return false
	})
}

func once(known map[string]bool, name string, look func() bool) bool {
	found, ok := known[name]
	if !ok {
		found = look()
		known[name] = found
	}
	return found
}

func isFile(dir fs.FS, name string) bool {
	info, err := fs.Stat(dir, name)
	return err == nil && !info.IsDir()
}
