package headerinstall

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tempPrefix starts the name of every file that is still being written. No header may be called
// so: what carries the name is swept.
const tempPrefix = ".headerinstall-"

// unsafeName says, as a clause, why a path must not be installed or recorded; "" if it may. A
// newline splits a path in two for every tool that reads lists; control and format characters
// (escape sequences, bidirectional overrides) make it look like another one.
func unsafeName(name string) string {
	if !utf8.ValidString(name) {
		return "is not valid UTF-8"
	}
	for _, r := range name {
		if !unicode.IsGraphic(r) {
			return fmt.Sprintf("holds the character %U", r)
		}
	}
	if strings.HasPrefix(path.Base(name), tempPrefix) {
		return "has a name that is kept for unfinished files"
	}
	return ""
}

// destinationOf strips n leading components of a source as written. The result is clean and
// leads nowhere but below the directory that it is relative to.
func destinationOf(source string, n int) (string, *Problem) {
	parts := components(source)
	if n >= len(parts) {
		return "", &Problem{Reason: OverStripped, Path: source,
			Detail: fmt.Sprintf("has %d components, and %d are to be stripped", len(parts), n)}
	}
	dest := path.Clean(strings.Join(parts[n:], "/"))
	if !filepath.IsLocal(dest) || dest == "." {
		return "", &Problem{Reason: UnsafeName, Path: source,
			Detail: fmt.Sprintf("would be installed as %q, outside the destination", dest)}
	}
	return dest, nil
}

// components splits a path as written; empty components, which mean nothing, are dropped.
func components(p string) []string {
	return strings.FieldsFunc(p, func(r rune) bool { return r == '/' })
}
