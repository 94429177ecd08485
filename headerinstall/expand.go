package headerinstall

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// expansion is what a pattern leads to.
type expansion struct {
	pattern string
	tree    *sourceTree // that the pattern names literally
	matches []string    // files and directories, by their paths in the tree, sorted
	problem *Problem
}

// overlap says whether one of the matches is, or lies in, another.
func overlap(patterns []expansion) bool {
	all := map[string]bool{}
	for _, p := range patterns {
		for _, match := range p.matches {
			written := p.tree.join(match)
			if all[written] {
				return true
			}
			all[written] = true
		}
	}
	if len(all) < 2 {
		return false
	}
	for written := range all {
		for i := range len(written) {
			if written[i] == '/' && all[written[:i]] || i == 0 && all[""] {
				return true
			}
		}
	}
	return false
}

// wildcards are the characters that make a glob of a path.
const wildcards = `*?[{\`

// expand finds what a pattern leads to.
func (f *finder) expand(pattern string) expansion {
	e := expansion{pattern: pattern}
	e.tree, e.matches, e.problem = f.expandIn(pattern)
	return e
}

func (f *finder) expandIn(pattern string) (tree *sourceTree, matches []string, problem *Problem) {
	bad := func(detail string) (*sourceTree, []string, *Problem) {
		return nil, nil, &Problem{Reason: BadPattern, Path: pattern, Detail: detail}
	}
	parts := components(pattern)
	switch {
	case len(parts) == 0:
		return bad("names no file or directory")
	case !doublestar.ValidatePattern(pattern):
		return bad("is not a valid glob")
	}
	meta := slices.IndexFunc(parts, func(part string) bool { return strings.ContainsAny(part, wildcards) })
	if meta < 0 {
		return f.literal(pattern, parts)
	}
	glob := parts[meta:]
	if slices.Contains(glob, ".") || slices.Contains(glob, "..") {
		return bad(`has "." or ".." after a wildcard`)
	}
	tree = f.tree(pattern, parts[:meta])
	if _, err := os.Stat(tree.name); err != nil {
		return nil, nil, sourceProblem(pattern, err)
	}
	matches, err := doublestar.Glob(linkBoundFS{os.DirFS(tree.name)}, strings.Join(glob, "/"), doublestar.WithFailOnIOErrors())
	if err != nil {
		return nil, nil, sourceProblem(pattern, err)
	}
	slices.Sort(matches)
	return tree, slices.Compact(matches), nil
}

// literal returns the directory that a pattern without wildcards names, or the file in its directory. A
// symbolic link to a directory is the user's word.
func (f *finder) literal(pattern string, parts []string) (*sourceTree, []string, *Problem) {
	tree := f.tree(pattern, parts)
	if info, err := os.Stat(tree.name); err == nil && info.IsDir() {
		return tree, []string{"."}, nil
	}
	last := len(parts) - 1
	for i := range parts[:last] {
		parent := f.tree(pattern, parts[:i+1])
		if _, err := os.Stat(parent.name); err != nil {
			return nil, nil, sourceProblem(parent.written, err)
		}
	}
	if _, err := os.Lstat(tree.name); err != nil {
		return nil, nil, sourceProblem(tree.written, err)
	}
	return f.tree(pattern, parts[:last]), parts[last:], nil
}

// tree is the tree of the leading components of a pattern.
func (f *finder) tree(pattern string, parts []string) *sourceTree {
	written := strings.Join(parts, "/")
	if path.IsAbs(pattern) {
		written = "/" + written
	}
	return newSourceTree(written, f.config.onDisk(written))
}

// linkBoundFS lets a glob pass through one symbolic link in a path, not through two. One is enough
// to find, and then refuse, what a link leads to; unbounded, two links to their own directory
// would make a "**" take exponential time.
type linkBoundFS struct{ fs.FS }

// Stat does not open what it looks at: it may be a fifo.
func (l linkBoundFS) Stat(name string) (fs.FileInfo, error) { return fs.Stat(l.FS, name) }

func (l linkBoundFS) ReadDir(name string) ([]fs.DirEntry, error) {
	links := 0
	for end := range len(name) + 1 {
		if end < len(name) && name[end] != '/' {
			continue
		}
		info, err := fs.Lstat(l.FS, name[:end])
		if err != nil {
			return nil, err
		}
		if info.Mode().Type() == fs.ModeSymlink {
			links++
		}
	}
	if links > 1 {
		return nil, nil
	}
	return fs.ReadDir(l.FS, name)
}
