package closure

import (
	"io/fs"
	"path"
	"strings"
)

// A searchPath finds what an include leads to, as cpp does: gcc/doc/cpp.texi, "Search Path".
type searchPath struct {
	tree      fs.FS
	installed files // the tree's
	system    []Dir

	// Whether names are there that are not the tree's files: in a system directory, or in the tree through a link.
	known, linkedTo map[string]bool
}

// finds tells whether an include of a file leads anywhere; own are the files of its directory, and inTree whether that is the tree.
func (s *searchPath) finds(i include, file string, own files, inTree bool) bool {
	if path.IsAbs(i.name) {
		return false
	}
	if i.form == quoted && own.has(path.Dir(file)+"/"+i.name) {
		return true
	}
	if i.form == next && inTree {
		return s.inSystem(i.name)
	}
	return s.installed.has(i.name) || s.linked(i.name) || s.inSystem(i.name)
}

// has tells whether a path that may not be clean leads to one of the files.
func (f files) has(name string) bool {
	return f.exists[path.Clean(name)] && passes(name, func(dir string) bool { return f.dirs[dir] })
}

// linked finds a file of the tree that lies behind a link to a directory, which is not walked through.
func (s *searchPath) linked(name string) bool {
	return s.installed.links && once(s.linkedTo, name, func() bool { return isFile(s.tree, name) })
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
	info, err := fs.Stat(dir, path.Clean(name))
	return err == nil && !info.IsDir() && passes(name, func(above string) bool {
		info, err := fs.Stat(dir, above)
		return err == nil && info.IsDir()
	})
}

// passes tells whether a path comes through directories alone before each of its "..": no system finds none/../a.h, though a.h is there.
func passes(name string, isDir func(string) bool) bool {
	for at := 0; ; at += len("/..") {
		i := strings.Index(name[at:], "/..")
		if i < 0 {
			return true
		}
		at += i
		rest := name[at+len("/.."):]
		if (rest == "" || rest[0] == '/') && !isDir(path.Clean(name[:at])) {
			return false
		}
	}
}
