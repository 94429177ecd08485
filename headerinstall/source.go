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
func (s source) below() string { return path.Join(s.dir.below(), s.name) }

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
	written  []byte // a header as written, for as long as it is looked at
}

// find returns the finder that has been through all patterns. Its error is only ever ctx's.
func find(ctx context.Context, c *Config, dest dir) (*finder, error) {
	f := &finder{config: c, rules: newRules(c)}
	if dest.exists() {
		stat, _ := dest.statSelf() // if it fails, everything else about the destination does
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
	switch {
	case headers == 0 && len(f.problems) == before:
		f.problem(NoHeader, p.pattern, "holds no header (%s)", strings.Join(f.config.Include, ", "))
	case headers > 0 && losesOwn(p.pattern, f.config.strip()):
		f.warn("%q has one component less than are stripped, so that its headers lose a directory of theirs; write %q, or strip %d components",
			p.pattern, "./"+p.pattern, f.config.strip()-1)
	case headers > 0 && f.config.Strip == nil && path.IsAbs(p.tree.written) && slices.Equal(p.matches, []string{"."}):
		if parts := components(p.tree.written); len(parts) > DefaultStrip {
			f.warn("%q has %d components, of which %d are stripped unless told otherwise, so that its headers go below %q; strip %d components, or name it by a relative path",
				p.pattern, len(parts), DefaultStrip, strings.Join(parts[DefaultStrip:], "/"), len(parts))
		}
	}
	return nil
}

// losesOwn says whether stripping takes from the headers of a source just what its leading "./" would be taken for, had it one.
func losesOwn(pattern string, strip int) bool {
	parts := components(pattern)
	return !path.IsAbs(pattern) && len(parts) == strip-1 && !slices.Contains([]string{".", ".."}, parts[0]) && !slices.Contains(parts, "**")
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
		above, name := path.Split(match)
		v := newVisit(tree, tree.prefix+above, name)
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
	f.table.rows, f.table.sizes = slices.Grow(f.table.rows, others), slices.Grow(f.table.sizes, others)
	if f.config.TrustModTime {
		f.table.times = slices.Grow(f.table.times, others)
	}
	headers = f.walk(tree, listed, tree.prefix)
	if headers == 0 {
		f.warn("%q holds no header", tree.written)
	}
	return headers, nil
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
