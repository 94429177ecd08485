package headerinstall

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/ascii"
)

// walk adds the headers in and below a directory of a tree, in the order of their paths. From is what sources in it have before their name.
func (f *finder) walk(tree *sourceTree, d *listedDir, from string) (headers int) {
	v := newVisit(tree, from, string(d.entries))
	switch {
	case d.err != nil:
		f.problems = append(f.problems, sourceProblem(tree.join(v.below()), d.err))
		return 0
	case d.isDest:
		f.warn("%q is the destination; it is not a source", tree.join(v.below()))
		return 0
	}
	v.glob = from[len(tree.prefix):]
	dirs, statuses, start := d.dirs, d.statuses, 0
	for name, kind := range d.entries.all() {
		start += entryHead
		file := listedFile{start: start, end: start + len(name), kind: kind}
		start = file.end
		if kind != unix.DT_DIR {
			if isCandidate(name, kind) && len(statuses) > 0 {
				file.status, statuses = statuses[0], statuses[1:]
			}
			headers += f.file(&v, file)
			continue
		}
		sub := &dirs[0]
		dirs = dirs[1:]
		if sub.tooLong {
			f.problem(UnsafeName, from+name, "%s", unsafeName(v.glob+name))
			continue
		}
		headers += f.walk(tree, sub, from+name+"/")
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

// newVisit makes that of a directory from what sources in it have before their name, which is the tree's prefix, and a path and a slash
// unless it is the tree itself.
func newVisit(tree *sourceTree, from, names string) visit {
	return visit{headerDir: headerDir{tree: tree, from: from, names: names}, index: -1}
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
	link := l.kind == unix.DT_LNK
	if !isHeader && !link {
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
	if link {
		info, err := os.Stat(filepath.Join(v.tree.name, v.below(), name))
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
	case !link && l.kind != unix.DT_REG:
		f.problem(NotRegular, v.from+name, "is %s", kindOf(l.kind))
		return 1
	}
	if f.place(v, name) {
		f.add(v, l, link)
	}
	return 1
}

// place says whether a header has a place in the destination. That of the first in a directory is the place of all.
func (f *finder) place(v *visit, name string) bool {
	if v.index >= 0 && v.simple && len(name) <= maxNameBytes && ascii.IsPrintString(name) && !strings.HasPrefix(name, tempPrefix) {
		return true
	}
	f.written = append(append(f.written[:0], v.from...), name...)
	destination, problem := f.destination(asString(f.written))
	if problem != nil {
		_, problem = f.destination(v.from + name) // which is there for longer
		f.problems = append(f.problems, problem)
		return false
	}
	if v.index < 0 {
		if to := destination[:len(destination)-len(name)]; strings.HasSuffix(v.from, to) { // nearly always
			v.to = v.from[len(v.from)-len(to):]
		} else {
			v.to = strings.Clone(to)
		}
		v.simple = ascii.IsPrintString(v.from) && ascii.IsPrintString(v.to) && max(len(v.from), len(v.to))+maxNameBytes <= maxPathBytes
		v.index = int32(len(f.table.dirs))
		f.table.dirs = append(f.table.dirs, v.headerDir)
	}
	return true
}

// add adds a row to the table.
func (f *finder) add(v *visit, l listedFile, link bool) {
	r := row{dir: v.index, nameAt: uint32(l.start), nameLen: uint16(l.end - l.start)}
	r.set(isLink, link)
	f.table.rows, f.table.sizes = append(f.table.rows, r), append(f.table.sizes, l.status.size)
	if f.config.TrustModTime {
		f.table.times = append(f.table.times, times{source: l.status.mtime})
	}
}

func kindOf(entry byte) string {
	return kind(modeOf(&unix.Stat_t{Mode: uint32(entry) << 12})) // as DTTOIF of dirent.h
}
