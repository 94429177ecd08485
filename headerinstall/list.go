package headerinstall

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
)

// ListKind says whom a list of installed files is for.
type ListKind string

// The kinds of lists.
const (
	// RPMList is for "%files -f": absolute paths, and a %dir line for each directory, so that the
	// package owns them.
	RPMList ListKind = "rpm"
	// DebianList is a debian/PACKAGE.install of debhelper: paths without the leading slash.
	DebianList ListKind = "debian"
	// PlainList is absolute paths.
	PlainList ListKind = "plain"
)

// ListKinds are all kinds of lists.
var ListKinds = []ListKind{RPMList, DebianList, PlainList}

// special are the characters, besides white space, that rpm or debhelper would not take for
// themselves: globs, braces, macros, substitutions, quotes, escapes, comments.
const special = "*?[]{}%$\\\"'#"

// List writes the manifest's files, a line each, sorted. The prefix is the absolute path of the destination directory
// on the machine that the package is installed on. A name that the packager's tool would not take
// literally is an error, since each release of those tools quotes in its own way.
func (m Manifest) List(w io.Writer, as ListKind, prefix string) error {
	if !path.IsAbs(prefix) {
		return fmt.Errorf("listing headers: prefix %q is not an absolute path", prefix)
	}
	var out bytes.Buffer
	if as == RPMList {
		dirs := dirSet{".": true}
		for i := range m.Files {
			dirs.add(dirOf(m.Files[i].Destination))
		}
		for _, dir := range slices.Sorted(maps.Keys(dirs)) {
			if err := listLine(&out, as, "%dir ", path.Join(prefix, dir)); err != nil {
				return err
			}
		}
	}
	for _, f := range m.Files {
		if err := listLine(&out, as, "", path.Join(prefix, f.Destination)); err != nil {
			return err
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

func listLine(w *bytes.Buffer, as ListKind, before, name string) error {
	if as != PlainList && (strings.ContainsAny(name, special) || len(strings.Fields(name)) != 1) {
		return fmt.Errorf("listing headers: %q has a character that means something to %s; rename it, or use a plain list", name, as)
	}
	if as == DebianList {
		name = strings.TrimPrefix(name, "/")
	}
	w.WriteString(before + name + "\n")
	return nil
}
