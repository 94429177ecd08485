package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kmodaudit/kmodaudit/stackcheck"
)

// The large tree is that of a whole kernel: 25,000 objects with 40 functions each.
const (
	largeFiles  = 25_000
	rowsPerFile = 40
	filesPerDir = 100
)

// trees are what contests read.
type trees struct {
	build tree // the build as it is
	large tree // of its rows, so often that there are enough files
}

type tree struct {
	dir   string
	files int
	rows  int
	bytes int64
}

// makeTrees writes the trees below a directory.
func makeTrees(build, dir string, largeFiles int) (t trees, err error) {
	t.build.dir, t.large.dir = filepath.Join(dir, "build"), filepath.Join(dir, "large")
	var rows []string
	for file, err := range stackcheck.Files(build) {
		if err != nil {
			return t, err
		}
		if ext := path.Ext(file.Path); ext != ".su" && ext != ".ci" {
			continue
		}
		content, err := file.Content()
		if err == nil {
			err = t.build.add(file.Path, []byte(content))
		}
		if err != nil {
			return t, err
		}
		if path.Ext(file.Path) == ".su" {
			rows = slices.AppendSeq(rows, strings.Lines(content))
		}
	}
	if len(rows) == 0 {
		return t, errors.New("it has no .su file with a row; build with make KCFLAGS='-fstack-usage -fcallgraph-info=su,da'")
	}
	return t, t.large.fill(rows, largeFiles)
}

// fill makes the large tree. Each of its files is about a source of its own, as those of a kernel are.
func (t *tree) fill(rows []string, files int) error {
	var content bytes.Buffer
	for i := range files {
		dir := fmt.Sprintf("d%03d", i/filesPerDir)
		content.Reset()
		for j := range rowsPerFile {
			row := strings.TrimSuffix(rows[(i*rowsPerFile+j)%len(rows)], "\n")
			fmt.Fprintf(&content, "%s/u%05d/%s\n", dir, i, strings.TrimPrefix(row, "/"))
		}
		if err := t.add(fmt.Sprintf("%s/u%05d.su", dir, i), content.Bytes()); err != nil {
			return err
		}
		t.rows += rowsPerFile
	}
	return nil
}

func (t *tree) add(name string, content []byte) error {
	full := filepath.Join(t.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	t.files++
	t.bytes += int64(len(content))
	return os.WriteFile(full, content, 0o644)
}
