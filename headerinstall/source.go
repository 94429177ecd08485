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
	dir  *headerDir
	name string // in the directory
	link bool   // it is a symbolic link
}

// below is the clean path of the source in its tree.
func (s source) below() string { return path.Join(s.dir.below, s.name) }

// finder collects the headers that patterns lead to, and everything wrong on the way.
type finder struct {
	config   *Config
	rules    *rules
	dest     fileKey         // of the destination directory, zero if it does not exist yet
	seen     map[string]bool // headers as written; nil if no two patterns can lead to one
	table    table           // in the order found
	excluded []Excluded
	findings []Finding
	problems []*Problem
	warnings []string
}

// find returns the finder that has been through all patterns. Its error is only ever ctx's.
func find(ctx context.Context, c *Config, dest dir) (*finder, error) {
	f := &finder{config: c, rules: newRules(c)}
	if dest.exists() {
		stat, _ := dest.stat(".") // if it fails, everything else about the destination does
		f.dest = newFileKey(&stat)
	}
	patterns := make([]expansion, len(c.Sources))
	for i, pattern := range c.Sources {
		patterns[i] = f.expand(pattern)
	}
	if overlap(patterns) {
		f.seen = map[string]bool{}
	}
	for _, p := range patterns {
		if err := f.pattern(ctx, p); err != nil {
			return nil, err
		}
	}
	return f, nil
}

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

func (f *finder) pattern(ctx context.Context, p expansion) error {
	if p.problem != nil {
		f.problems = append(f.problems, p.problem)
		return nil
	}
	before := len(f.problems)
	way := &way{finder: f, tree: p.tree, seen: map[string]stop{}}
	headers := 0
	for _, match := range p.matches {
		n, err := f.match(ctx, way, match)
		if err != nil {
			return err
		}
		headers += n
	}
	if headers == 0 && len(f.problems) == before {
		f.problem(NoHeader, p.pattern, "holds no header (%s)", strings.Join(f.config.Include, ", "))
	}
	return nil
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
		v := newVisit(tree, dirOf(match), path.Base(match))
		return f.file(&v, listedFile{end: len(v.names), kind: stop.kind}), nil
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
	dirs, others := listed.count()
	f.table.dirs = slices.Grow(f.table.dirs, dirs)
	f.table.rows = slices.Grow(f.table.rows, others)
	if f.config.TrustModTime {
		f.table.times = slices.Grow(f.table.times, others)
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
	v := newVisit(tree, below, d.names)
	v.glob = v.from[len(tree.prefix):]
	dirs, statuses, start := d.dirs, d.statuses, 0
	for _, e := range d.entries {
		name := d.names[start:][:e.nameLen]
		file := listedFile{start: start, end: start + len(name), kind: e.kind}
		start = file.end
		if e.kind != unix.DT_DIR {
			if isCandidate(name, e.kind) && len(statuses) > 0 {
				file.status, statuses = statuses[0], statuses[1:]
			}
			headers += f.file(&v, file)
			continue
		}
		sub := dirs[0]
		dirs = dirs[1:]
		if sub == nil {
			f.problem(UnsafeName, v.from+name, "%s", unsafeName(v.glob+name))
			continue
		}
		headers += f.walk(tree, sub, v.glob+name)
	}
	return headers
}

// visit is a directory whose files are looked at.
type visit struct {
	headerDir
	glob   string // what a file's path that rules are matched with has before its name
	index  int32  // in the table; -1 before it has a header
	simple bool   // what stands before a name is safe before any that is
}

func newVisit(tree *sourceTree, below, names string) visit {
	from := tree.prefix
	if below != "." {
		from += below + "/"
	}
	return visit{headerDir: headerDir{tree: tree, below: below, from: from, names: names}, index: -1}
}

// listedFile is a file of a visit.
type listedFile struct {
	start, end int // of its name in the directory's
	kind       byte
	status     status
}

// file adds a file if it is a header, and returns how many headers that makes.
func (f *finder) file(v *visit, l listedFile) int {
	name := v.names[l.start:l.end]
	included := f.rules.included(v.glob, name)
	isHeader := included || strings.HasSuffix(name, headerSuffix)
	isLink := l.kind == unix.DT_LNK
	if !isHeader && !isLink {
		return 0
	}
	if f.seen != nil && isHeader {
		if f.seen[v.from+name] {
			return 1
		}
		f.seen[v.from+name] = true
	}
	if rule := f.rules.excluded(v.glob, name); rule != nil {
		if isHeader {
			f.excluded = append(f.excluded, Excluded{Source: v.from + name, Match: rule.Match, Reason: rule.Reason})
		}
		return 0
	}
	if isLink {
		info, err := os.Stat(filepath.Join(v.tree.name, v.below, name))
		if err == nil && info.IsDir() {
			f.problem(NotRegular, v.from+name, "is a symbolic link to a directory")
			return 0
		}
	}
	switch {
	case !isHeader:
		return 0
	case !included:
		f.findings = append(f.findings, forgotten(v.from+name))
		return 0
	case !isLink && l.kind != unix.DT_REG:
		f.problem(NotRegular, v.from+name, "is %s", kindOf(l.kind))
		return 1
	}
	if f.place(v, name) {
		f.add(v, l, isLink)
	}
	return 1
}

// place says whether a header has a place in the destination. That of the first in a directory is the place of all.
func (f *finder) place(v *visit, name string) bool {
	if v.index >= 0 && v.simple && len(name) <= maxNameBytes && isPrintableASCII(name) && !strings.HasPrefix(name, tempPrefix) {
		return true
	}
	destination, problem := f.destination(v.from + name)
	if problem != nil {
		f.problems = append(f.problems, problem)
		return false
	}
	if v.index < 0 {
		v.to = destination[:len(destination)-len(name)]
		v.simple = isPrintableASCII(v.from) && isPrintableASCII(v.to) && max(len(v.from), len(v.to))+maxNameBytes <= maxPathBytes
		v.index = int32(len(f.table.dirs))
		f.table.dirs = append(f.table.dirs, v.headerDir)
	}
	return true
}

// add adds a row to the table.
func (f *finder) add(v *visit, l listedFile, isLink bool) {
	f.table.rows = append(f.table.rows, row{
		size: l.status.size, dir: v.index, nameAt: uint32(l.start), nameLen: uint16(l.end - l.start), link: isLink,
	})
	if f.config.TrustModTime {
		f.table.times = append(f.table.times, times{source: l.status.mtime})
	}
}

func kindOf(entry byte) string {
	return kind(modeOf(&unix.Stat_t{Mode: uint32(entry) << 12})) // as DTTOIF of dirent.h
}

// fileKey tells a file from every other that is there at the same time.
type fileKey struct{ dev, ino uint64 }

func newFileKey(stat *unix.Stat_t) fileKey { return fileKey{stat.Dev, stat.Ino} }

func (f *finder) isDest(key fileKey) bool { return f.dest.ino != 0 && key == f.dest }

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
		return stop{kind: unix.DT_DIR, isDest: err == nil && w.isDest(newFileKey(&stat))}
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
	s := stop{kind: byte(stat.Mode & unix.S_IFMT >> 12), isDest: w.isDest(newFileKey(&stat))}
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
