package headerinstall

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
)

// finder collects the sources that patterns lead to, and everything wrong on the way.
type finder struct {
	config   Config
	dest     fs.FileInfo // the destination directory, nil if it does not exist yet
	seen     map[string]bool
	sources  []string // as written, in the order found
	problems []*Problem
	warnings []string
}

// find returns the finder that has been through all patterns. Its error is only ever ctx's.
func find(ctx context.Context, c Config) (*finder, error) {
	f := &finder{config: c, seen: map[string]bool{}}
	if info, err := os.Stat(c.Dest); err == nil {
		f.dest = info
	}
	for _, pattern := range c.Sources {
		if err := f.pattern(ctx, pattern); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *finder) pattern(ctx context.Context, pattern string) error {
	before := len(f.problems)
	literal, matches, problem := f.expand(pattern)
	if problem != nil {
		f.problems = append(f.problems, problem)
		return nil
	}
	headers := 0
	for _, match := range matches {
		n, err := f.match(ctx, match, literal)
		if err != nil {
			return err
		}
		headers += n
	}
	if headers == 0 && len(f.problems) == before {
		f.problem(NoHeader, pattern, "holds no header (%s)", strings.Join(f.config.Include, ", "))
	}
	return nil
}

// expand returns the files and directories that a pattern leads to, as written, sorted, and how
// many of their leading components the pattern names literally.
func (f *finder) expand(pattern string) (literal int, matches []string, problem *Problem) {
	bad := func(detail string) (int, []string, *Problem) {
		return 0, nil, &Problem{Reason: BadPattern, Path: pattern, Detail: detail}
	}
	parts := components(pattern)
	start := ""
	if path.IsAbs(pattern) {
		start = "/"
	}
	switch {
	case len(parts) == 0:
		return bad("names no file or directory")
	case !doublestar.ValidatePattern(pattern):
		return bad("is not a valid glob")
	}
	meta := slices.IndexFunc(parts, func(part string) bool { return strings.ContainsAny(part, `*?[{\`) })
	if meta < 0 {
		return len(parts), []string{start + strings.Join(parts, "/")}, nil
	}
	prefix, glob := parts[:meta], parts[meta:]
	if slices.Contains(glob, ".") || slices.Contains(glob, "..") {
		return bad(`has "." or ".." after a wildcard`)
	}
	base := f.config.onDisk(start + strings.Join(prefix, "/"))
	if _, err := os.Stat(base); err != nil {
		return 0, nil, sourceProblem(pattern, err)
	}
	found, err := doublestar.Glob(linkBoundFS{os.DirFS(base)}, strings.Join(glob, "/"), doublestar.WithFailOnIOErrors())
	if err != nil {
		return 0, nil, sourceProblem(pattern, err)
	}
	slices.Sort(found)
	found = slices.Compact(found)
	for i, match := range found {
		found[i] = start + strings.Join(append(slices.Clone(prefix), match), "/")
	}
	return len(prefix), found, nil
}

// match adds the headers that one match of a pattern stands for, and returns how many they are;
// those that another pattern has led to already are counted, not added.
func (f *finder) match(ctx context.Context, match string, literal int) (headers int, err error) {
	info, problem := f.statAll(match, literal)
	if problem != nil {
		f.problems = append(f.problems, problem)
		return 0, nil
	}
	if info == nil {
		f.warn("%q is, or lies in, the destination; it is not a source", match)
		return 0, nil
	}
	if !info.IsDir() {
		return f.file(match, path.Base(match), info.Mode()), nil
	}
	base, err := filepath.EvalSymlinks(f.config.onDisk(match)) // a walk does not follow where it starts
	if err != nil {
		f.problems = append(f.problems, sourceProblem(match, err))
		return 0, nil
	}
	err = filepath.WalkDir(base, func(name string, entry fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		below, relErr := filepath.Rel(base, name)
		if relErr != nil {
			return relErr
		}
		source := match
		if below != "." {
			source += "/" + filepath.ToSlash(below)
		}
		if err != nil {
			f.problems = append(f.problems, sourceProblem(source, err))
			return fs.SkipDir
		}
		if !entry.IsDir() {
			headers += f.file(source, below, entry.Type())
			return nil
		}
		if info, err := entry.Info(); err == nil && f.isDest(info) {
			f.warn("%q is the destination; it is not a source", source)
			return fs.SkipDir
		}
		return nil
	})
	if headers == 0 {
		f.warn("%q holds no header", match)
	}
	return headers, err
}

// statAll looks at every component of a match. A symbolic link to a directory is followed where
// the pattern names it, as one of its literal components; what a wildcard finds is not. The info is
// nil if the match is or lies in the destination.
func (f *finder) statAll(match string, literal int) (fs.FileInfo, *Problem) {
	var info fs.FileInfo
	parts := components(match)
	start := match[:len(match)-len(strings.TrimPrefix(match, "/"))]
	for i := range parts {
		var err error
		so := start + strings.Join(parts[:i+1], "/")
		if info, err = lookAt(f.config.onDisk(so), i < literal); err != nil {
			return nil, sourceProblem(so, err)
		}
		if info.Mode().Type() == fs.ModeSymlink {
			return nil, &Problem{Reason: NotRegular, Path: so, Detail: "is a symbolic link"}
		}
		if f.isDest(info) {
			return nil, nil
		}
	}
	return info, nil
}

// lookAt is os.Lstat, which may follow a link to a directory.
func lookAt(name string, follow bool) (fs.FileInfo, error) {
	info, err := os.Lstat(name)
	if err != nil || !follow || info.Mode().Type() != fs.ModeSymlink {
		return info, err
	}
	if target, err := os.Stat(name); err == nil && target.IsDir() {
		return target, nil
	}
	return info, nil
}

// file adds a source if it is a header, and returns how many headers that makes.
func (f *finder) file(source, below string, mode fs.FileMode) int {
	if !f.included(below) {
		if info, err := os.Stat(f.config.onDisk(source)); mode&fs.ModeSymlink != 0 && err == nil && info.IsDir() {
			f.problem(NotRegular, source, "is a symbolic link to a directory")
		}
		return 0
	}
	if !mode.IsRegular() {
		f.problem(NotRegular, source, "is %s", kind(mode))
		return 1
	}
	if !f.seen[source] {
		f.seen[source] = true
		f.sources = append(f.sources, source)
	}
	return 1
}

func (f *finder) included(below string) bool {
	return slices.ContainsFunc(f.config.Include, func(glob string) bool {
		return doublestar.MatchUnvalidated(glob, filepath.ToSlash(below))
	})
}

func (f *finder) isDest(info fs.FileInfo) bool {
	return f.dest != nil && os.SameFile(f.dest, info)
}

func (f *finder) problem(reason Reason, path, format string, args ...any) {
	f.problems = append(f.problems, &Problem{Reason: reason, Path: path, Detail: fmt.Sprintf(format, args...)})
}

func (f *finder) warn(format string, args ...any) {
	f.warnings = append(f.warnings, fmt.Sprintf(format, args...))
}

// sourceProblem turns a file system's error about a source into a problem.
func sourceProblem(source string, err error) *Problem {
	if errors.Is(err, fs.ErrNotExist) {
		return &Problem{Reason: MissingSource, Path: source, Detail: "does not exist"}
	}
	return unreadable(source, err)
}

func unreadable(name string, err error) *Problem {
	// The operation's path says no more than name does, and holds the root.
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return &Problem{Reason: Unreadable, Path: name, Detail: fmt.Sprintf("cannot be read: %v", err)}
}

// kind names a file's type for a message.
func kind(mode fs.FileMode) string {
	switch mode.Type() {
	case 0:
		return "a regular file"
	case fs.ModeDir:
		return "a directory"
	case fs.ModeSymlink:
		return "a symbolic link"
	case fs.ModeNamedPipe:
		return "a fifo"
	case fs.ModeSocket:
		return "a socket"
	}
	return "a device"
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
