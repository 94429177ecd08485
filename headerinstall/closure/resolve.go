package closure

import (
	"io/fs"
	"path"
)

// A searchPath finds what an include leads to, as cpp does: gcc/doc/cpp.texi, "Search Path".
type searchPath struct {
	tree   fs.FS
	exists map[string]bool // the tree's files
	system []Dir
	known  map[string]bool // whether an angled name is in a system directory, or in the tree through a link
}

// finds tells whether an include of a file in dir leads anywhere; own are that directory's files, and inTree whether it is the
// tree.
func (s *searchPath) finds(i include, file string, own map[string]bool, inTree bool) bool {
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
	return s.once("tree\x00"+name, func() bool { return isFile(s.tree, name) })
}

func (s *searchPath) inSystem(name string) bool {
	return s.once(name, func() bool {
		for _, dir := range s.system {
			if isFile(dir.FS, name) {
				return true
			}
		}
		return false
	})
}

func (s *searchPath) once(key string, look func() bool) bool {
	found, ok := s.known[key]
	if !ok {
		found = look()
		s.known[key] = found
	}
	return found
}

func isFile(dir fs.FS, name string) bool {
	info, err := fs.Stat(dir, name)
	return err == nil && !info.IsDir()
}
