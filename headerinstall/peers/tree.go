package main

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"time"
)

// made is the mtime of every header of a tree: long ago, so that no tool takes one for just written.
var made = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// headerNames returns the paths of the regular files *.h in a directory that are not empty, in the order of fs.WalkDir.
func headerNames(dir fs.FS) ([]string, error) {
	var names []string
	err := fs.WalkDir(dir, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || path.Ext(name) != ".h" {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Size() > 0 {
			names = append(names, name)
		}
		return err
	})
	return names, err
}

// A copied header is one of a tree.
type copied struct {
	from string // path in the directory of real headers
	name string // path in the tree
}

// scaled returns about n headers: the first n, or as many whole copies of all, below k0, k1 and so on, as come nearest.
func scaled(names []string, n int) []copied {
	var tree []copied
	if n <= len(names) {
		for _, name := range names[:n] {
			tree = append(tree, copied{name, name})
		}
		return tree
	}
	copies := int(math.Round(float64(n) / float64(len(names))))
	for i := range copies {
		for _, name := range names {
			tree = append(tree, copied{name, path.Join("k"+strconv.Itoa(i), name)})
		}
	}
	return tree
}

// extent is how large a tree is.
type extent struct {
	Headers     int
	Directories int // those that headers are in
	Bytes       int64
	Largest     int64 // bytes of the largest header
}

// writeTree makes a tree in dir from the directory of real headers.
func writeTree(dir string, from fs.FS, tree []copied) (extent, error) {
	size := extent{Headers: len(tree)}
	last := ""
	for _, c := range tree {
		file := filepath.Join(dir, filepath.FromSlash(c.name))
		content, err := fs.ReadFile(from, c.from)
		if parent := filepath.Dir(file); err == nil && parent != last {
			last = parent
			err = os.MkdirAll(parent, 0o755)
		}
		if err == nil {
			err = writeHeader(file, content)
		}
		if err != nil {
			return size, fmt.Errorf("making a tree of %d headers: %w", len(tree), err)
		}
		size.Bytes += int64(len(content))
		size.Largest = max(size.Largest, int64(len(content)))
	}
	size.Directories = directories(tree)
	return size, nil
}

func writeHeader(file string, content []byte) error {
	if err := os.WriteFile(file, content, 0o644); err != nil {
		return err
	}
	return os.Chtimes(file, made, made)
}

func directories(tree []copied) int {
	seen := map[string]bool{}
	for _, c := range tree {
		seen[path.Dir(c.name)] = true
	}
	return len(seen)
}

// countFiles returns how many files that are no directories are in a directory, at any depth.
func countFiles(dir string) (n int, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			n++
		}
		return err
	})
	return n, err
}
