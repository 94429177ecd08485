package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/measure"
)

// A scenario is what a tool finds.
type scenario int

// The scenarios of a round, in their order.
const (
	first     scenario = iota // no destination
	unchanged                 // what it installed in the scenario before
	changed                   // the same, but a header of the tree has other content of the same size
	scenarios
)

// A bench is a directory with a tree of headers, and a destination for each tool.
type bench struct {
	dir    string // absolute
	tree   []copied
	size   extent
	fs     string // file system
	edited string // header that is changed, by its name in the tree
	edits  int    // made until now
}

// newBench makes a tree in a directory, which exists.
func newBench(dir string, from fs.FS, tree []copied) (*bench, error) {
	fileSystem, err := fileSystemOf(dir)
	if err != nil {
		return nil, err
	}
	size, err := writeTree(filepath.Join(dir, "headers"), from, tree)
	return &bench{dir: dir, tree: tree, size: size, fs: fileSystem, edited: tree[len(tree)/2].name}, err
}

// largeBytes is the size of a large header.
const largeBytes = 64 << 20

// addLarge adds a large header to the tree.
func (b *bench) addLarge() error {
	file, err := os.Create(filepath.Join(b.dir, "headers", "large.h"))
	if err != nil {
		return err
	}
	defer file.Close()
	b.size.Headers++
	for b.size.Largest = 0; b.size.Largest < largeBytes; {
		n, err := file.Write(bytes.Repeat([]byte("#define LARGE 1\n"), 1<<12))
		if err != nil {
			return err
		}
		b.size.Largest += int64(n)
		b.size.Bytes += int64(n)
	}
	return nil
}

// run measures a tool in a scenario, and sees to it that it did what it was run for.
func (b *bench) run(ctx context.Context, t tool, s scenario) (measure.Sample, error) {
	var restore func() error
	var err error
	switch s {
	case first:
		err = b.clear(t)
	case changed:
		restore, err = b.edit()
	}
	if err == nil {
		err = b.sync()
	}
	if err != nil {
		return measure.Sample{}, err
	}
	result, err := measure.Run(ctx, b.dir, t.args)
	if err == nil {
		err = b.check(t)
	}
	if restore != nil {
		err = errors.Join(err, restore())
	}
	return result, err
}

// clear makes a tool's destination a new directory.
func (b *bench) clear(t tool) error {
	dest := filepath.Join(b.dir, t.dest)
	if err := os.RemoveAll(dest); err != nil {
		return err
	}
	return os.Mkdir(dest, 0o755)
}

// sync has a file system write everything out, so that what one tool has left to write does not slow down the next.
func (b *bench) sync() error {
	dir, err := os.Open(b.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return unix.Syncfs(int(dir.Fd()))
}

// edit changes a letter of a header, to another one each time.
func (b *bench) edit() (restore func() error, err error) {
	file := filepath.Join(b.dir, "headers", filepath.FromSlash(b.edited))
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	b.edits++
	other := bytes.Clone(content)
	other[len(other)-1] = 'a' + byte(b.edits%26)
	return func() error { return writeHeader(file, content) }, os.WriteFile(file, other, 0o644)
}

// check returns an error unless a tool has installed every header, and the present content of that which is edited.
func (b *bench) check(t tool) error {
	include := filepath.Join(b.dir, t.dest, "include")
	n, err := countFiles(include)
	if err != nil {
		return err
	}
	if n != b.size.Headers {
		return fmt.Errorf("%s installed %d headers of %d; it is not run as it should be", t.Name, n, b.size.Headers)
	}
	edited := filepath.FromSlash(b.edited)
	want, err := os.ReadFile(filepath.Join(b.dir, "headers", edited))
	if err != nil {
		return err
	}
	got, err := os.ReadFile(filepath.Join(include, edited))
	if err == nil && !bytes.Equal(want, got) {
		err = fmt.Errorf("%s left the former content of %s; it is not run as it should be", t.Name, b.edited)
	}
	return err
}
