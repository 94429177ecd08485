//go:build linux

package main

import (
	"archive/tar"
	"archive/zip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

// unpack writes the files of a zip archive, which may stand behind a program, below a directory.
func unpack(archive, to string) error {
	r, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer r.Close()
	for _, f := range r.File {
		if !filepath.IsLocal(f.Name) {
			return fmt.Errorf("the archive has a file %q, outside of it", f.Name)
		}
		if err := unpackFile(f, filepath.Join(to, f.Name)); err != nil {
			return err
		}
	}
	return nil
}

func unpackFile(f *zip.File, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	from, err := f.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	return errors.Join(err, file.Close())
}

// lineBytes is much shorter than what the guest's init takes as a line.
const lineBytes = 48 << 10

// send writes the files of a directory.
func send(w io.Writer, dir string) error {
	lines := &lineWriter{w: w}
	compressed, err := zstd.NewWriter(lines)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(compressed)
	if err := archive.AddFS(os.DirFS(dir)); err != nil {
		return err
	}
	return errors.Join(archive.Close(), compressed.Close(), lines.flush())
}

// lineWriter writes lines of base64, each by itself.
type lineWriter struct {
	w    io.Writer
	rest []byte
}

func (l *lineWriter) Write(b []byte) (int, error) {
	l.rest = append(l.rest, b...)
	for len(l.rest) >= lineBytes {
		if err := l.line(l.rest[:lineBytes]); err != nil {
			return 0, err
		}
		l.rest = l.rest[lineBytes:]
	}
	return len(b), nil
}

func (l *lineWriter) flush() error { return l.line(l.rest) }

func (l *lineWriter) line(b []byte) error {
	_, err := fmt.Fprintln(l.w, base64.StdEncoding.EncodeToString(b))
	return err
}
