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
	"golang.org/x/sys/unix"
)

// sourceTree is a directory that sources are below, and that no symbolic link in it may leave.
type sourceTree struct {
	written string // as the user wrote it; empty for the current directory
	prefix  string // of what is in it: written, and a slash
	name    string // on disk
}

func newSourceTree(written, name string) *sourceTree {
	prefix := written
	if written != "" && !strings.HasSuffix(written, "/") {
		prefix += "/"
	}
	return &sourceTree{written: written, prefix: prefix, name: name}
}

// join returns a clean path in the tree as the user would have written it.
func (t *sourceTree) join(below string) string {
	if below == "." {
		return t.written
	}
	return t.prefix + below
}

// source is a file that is installed.
type source struct {
	tree    *sourceTree
	written string // what join has made of its path in the tree
	link    bool   // it is a symbolic link
	status  status // when it was listed
}

// below is the clean path of the source in its tree, dir that of the directory that it is in, and base its name there.
func (s source) below() string { return s.written[len(s.tree.prefix):] }
func (s source) dir() string   { return dirOf(s.below()) }
func (s source) base() string  { return s.written[strings.LastIndexByte(s.written, '/')+1:] }

// finder collects the headers that patterns lead to, and everything wrong on the way.
type finder struct {
	config   *Config
	rules    *rules
	dest     unix.Stat_t // the destination directory, zero if it does not exist yet
	seen     map[string]bool
	sources  []source // in the order found
	excluded []Excluded
	findings []Finding
	problems []*Problem
	warnings []string
}

// find returns the finder that has been through all patterns. Its error is only ever ctx's.
func find(ctx context.Context, c *Config, dest dir) (*finder, error) {
	f := &finder{config: c, rules: newRules(c)}
	if len(c.Sources) > 1 || strings.ContainsAny(c.Sources[0], wildcards) {
		f.seen = map[string]bool{} // a single directory has each header once
	}
	if dest.exists() {
		f.dest, _ = dest.stat(".") // if it fails, everything else about the destination does
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
	tree, matches, problem := f.expand(pattern)
	if problem != nil {
		f.problems = append(f.problems, problem)
		return nil
	}
	way := &way{finder: f, tree: tree, seen: map[string]stop{}}
	headers := 0
	for _, match := range matches {
		n, err := f.match(ctx, way, match)
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

// wildcards are the characters that make a glob of a path.
const wildcards = `*?[{\`

// expand returns the files and directories that a pattern leads to, sorted, by their paths in the tree that
// is named literally.
func (f *finder) expand(pattern string) (tree *sourceTree, matches []string, problem *Problem) {
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

// match adds the headers that one match of a pattern stands for, and returns how many they are;
// those that another pattern has led to already are counted, not added.
func (f *finder) match(ctx context.Context, way *way, match string) (headers int, err error) {
	tree := way.tree
	stop := way.stopAt(match)
	if stop.problem != nil {
		if !stop.told {
			f.problems = append(f.problems, stop.problem)
		}
		return 0, nil
	}
	if stop.isDest {
		f.warn("%q is, or lies in, the destination; it is not a source", tree.join(match))
		return 0, nil
	}
	if stop.kind != unix.DT_DIR {
		return f.file(source{tree: tree, written: tree.join(match)}, path.Base(match), stop.kind), nil
	}
	if match != "." {
		tree = newSourceTree(tree.join(match), filepath.Join(tree.name, match))
	}
	root, err := openDir(tree.name)
	if err != nil {
		f.problems = append(f.problems, sourceProblem(tree.written, err))
		return 0, nil
	}
	defer root.close()
	listed, err := listTree(ctx, root, f.isDest, f.config.TrustModTime)
	if err != nil {
		return 0, err
	}
	headers = f.walk(tree, listed, ".")
	if headers == 0 {
		f.warn("%q holds no header", tree.written)
	}
	return headers, nil
}

// walk adds the headers in and below a directory of a tree, in the order of their paths.
func (f *finder) walk(tree *sourceTree, d *listedDir, below string) (headers int) {
	switch {
	case d.err != nil:
		f.problems = append(f.problems, sourceProblem(tree.join(below), d.err))
		return 0
	case d.isDest:
		f.warn("%q is the destination; it is not a source", tree.join(below))
		return 0
	}
	prefix := tree.prefix
	if below != "." {
		prefix += below + "/"
	}
	for _, e := range d.entries {
		// One string holds both paths: there are as many as headers.
		written := prefix + e.name
		name := written[len(tree.prefix):]
		switch {
		case e.kind != unix.DT_DIR:
			headers += f.file(source{tree: tree, written: written, status: e.status}, name, e.kind)
		case e.dir == nil:
			f.problem(UnsafeName, written, "%s", unsafeName(name))
		default:
			headers += f.walk(tree, e.dir, name)
		}
	}
	return headers
}

// file adds a source if it is a header, by its path below the directory that the pattern leads to, and returns how many
// headers that makes.
func (f *finder) file(s source, below string, kind byte) int {
	included := f.rules.included(below)
	isHeader := included || strings.HasSuffix(below, headerSuffix)
	isLink := kind == unix.DT_LNK
	if !isHeader && !isLink {
		return 0
	}
	if f.seen != nil && isHeader {
		if f.seen[s.written] {
			return 1
		}
		f.seen[s.written] = true
	}
	if rule := f.rules.excluded(below); rule != nil {
		if isHeader {
			f.excluded = append(f.excluded, Excluded{Source: s.written, Match: rule.Match, Reason: rule.Reason})
		}
		return 0
	}
	if isLink {
		info, err := os.Stat(filepath.Join(s.tree.name, s.below()))
		if err == nil && info.IsDir() {
			f.problem(NotRegular, s.written, "is a symbolic link to a directory")
			return 0
		}
		s.link = true
	}
	switch {
	case !isHeader:
		return 0
	case !included:
		f.findings = append(f.findings, forgotten(s.written))
		return 0
	case !isLink && kind != unix.DT_REG:
		f.problem(NotRegular, s.written, "is %s", kindOf(kind))
		return 1
	}
	f.sources = append(f.sources, s)
	return 1
}

func kindOf(entry byte) string {
	return kind(modeOf(&unix.Stat_t{Mode: uint32(entry) << 12})) // as DTTOIF of dirent.h
}

func (f *finder) isDest(stat *unix.Stat_t) bool {
	return f.dest.Ino != 0 && stat.Ino == f.dest.Ino && stat.Dev == f.dest.Dev
}

func (f *finder) problem(reason Reason, path, format string, args ...any) {
	f.problems = append(f.problems, &Problem{Reason: reason, Path: path, Detail: fmt.Sprintf(format, args...)})
}

func (f *finder) warn(format string, args ...any) {
	f.warnings = append(f.warnings, fmt.Sprintf(format, args...))
}

// way tells what stands on the way to what a wildcard has found: it is not the user's word, and may
// lead through a symbolic link, or into the destination.
type way struct {
	*finder
	tree *sourceTree
	seen map[string]stop // by path in the tree
}

// stop is what a way comes to.
type stop struct {
	kind    byte     // DT_ constant of what is there
	isDest  bool     // it is, or lies in, the destination
	problem *Problem // it cannot be reached
	told    bool     // the problem was told before
}

func (w *way) stopAt(match string) stop {
	if s, ok := w.seen[match]; ok {
		s.told = true
		return s
	}
	s := w.look(match)
	w.seen[match] = s
	return s
}

func (w *way) look(match string) stop {
	if match == "." {
		var stat unix.Stat_t
		err := unix.Stat(w.tree.name, &stat)
		return stop{kind: unix.DT_DIR, isDest: err == nil && w.isDest(&stat)}
	}
	if parent := path.Dir(match); parent != "." {
		if s := w.stopAt(parent); s.problem != nil || s.isDest {
			return s
		}
	}
	written := w.tree.join(match)
	var stat unix.Stat_t
	if err := unix.Lstat(filepath.Join(w.tree.name, match), &stat); err != nil {
		return stop{problem: sourceProblem(written, err)}
	}
	s := stop{kind: byte(stat.Mode & unix.S_IFMT >> 12), isDest: w.isDest(&stat)}
	if s.kind == unix.DT_LNK {
		if info, err := os.Stat(filepath.Join(w.tree.name, match)); err == nil && info.IsDir() {
			s.problem = &Problem{Reason: NotRegular, Path: written, Detail: "is a symbolic link to a directory"}
		}
	}
	return s
}

// sourceProblem turns a file system's error about a source into a problem.
func sourceProblem(source string, err error) *Problem {
	if errors.Is(err, fs.ErrNotExist) {
		return &Problem{Reason: MissingSource, Path: source, Detail: "does not exist"}
	}
	return unreadable(source, err)
}

func unreadable(name string, err error) *Problem {
	if notRegular, ok := errors.AsType[notRegularError](err); ok {
		return &Problem{Reason: NotRegular, Path: name, Detail: notRegular.Error()}
	}
	if errors.Is(err, errChanging) {
		return &Problem{Reason: Unreadable, Path: name, Detail: err.Error()}
	}
	// The operation's path says no more than name does, and holds the root.
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return &Problem{Reason: Unreadable, Path: name, Detail: fmt.Sprintf("cannot be read: %v", err)}
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
