package headerinstall

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kmodaudit/kmodaudit/ascii"
)

// tempPrefix starts the name of every file that is still being written. No header may be called
// so: what carries the name is swept.
const tempPrefix = ".headerinstall-"

// maxPathBytes is PATH_MAX of Linux, less the byte that ends a string, and maxNameBytes its NAME_MAX.
const (
	maxPathBytes = 4095
	maxNameBytes = 255
)

// unsafeName says, as a clause, why a path must not be installed or recorded; "" if it may. A
// newline splits a path in two for every tool that reads lists; control and format characters
// (escape sequences, bidirectional overrides) make it look like another one; a path that is longer than
// PATH_MAX can be reached by descent, but by no program that is given it.
func unsafeName(name string) string {
	if len(name) > maxPathBytes {
		return fmt.Sprintf("is %d bytes long, and no program can open a path of more than %d", len(name), maxPathBytes)
	}
	if strings.HasPrefix(path.Base(name), tempPrefix) {
		return "has a name that is kept for unfinished files"
	}
	if ascii.IsPrintString(name) {
		return ""
	}
	if !utf8.ValidString(name) {
		return "is not valid UTF-8"
	}
	for _, r := range name {
		if !unicode.IsGraphic(r) {
			return fmt.Sprintf("holds the character %U", r)
		}
	}
	return ""
}

// destinationOf strips n leading components of a source as written. The result is clean and
// leads nowhere but below the directory that it is relative to.
func destinationOf(source string, n int) (string, *Problem) {
	rest := strings.TrimLeft(source, "/")
	for range n {
		_, after, _ := strings.Cut(rest, "/")
		rest = strings.TrimLeft(after, "/")
		if rest == "" {
			break
		}
	}
	if rest == "" {
		return "", &Problem{Reason: OverStripped, Path: source,
			Detail: fmt.Sprintf("has %d components, and %d are to be stripped", len(components(source)), n)}
	}
	if isCleanLocal(rest) {
		return rest, nil
	}
	dest := path.Clean(rest)
	if !filepath.IsLocal(dest) || dest == "." {
		return "", &Problem{Reason: UnsafeName, Path: source,
			Detail: fmt.Sprintf("would be installed as %q, outside the destination", dest)}
	}
	return dest, nil
}

// isCleanLocal says whether a path is what path.Clean makes of it, and leads below where it starts: it has no
// component that is empty, "." or "..".
func isCleanLocal(p string) bool {
	for more := true; more; {
		var part string
		switch part, p, more = strings.Cut(p, "/"); part {
		case "", ".", "..":
			return false
		}
	}
	return true
}

// components splits a path as written; empty components, which mean nothing, are dropped.
func components(p string) []string {
	return strings.FieldsFunc(p, func(r rune) bool { return r == '/' })
}
