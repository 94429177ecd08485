package closure

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// DirFS is os.DirFS for Config: Check reads its files by system calls alone. A tree has many small files, of which an os.File costs
// about as much as what is read of it.
func DirFS(dir string) fs.FS {
	return dirFS{os.DirFS(dir).(osDir), dir}
}

// osDir is what os.DirFS documents to return.
type osDir interface {
	fs.StatFS
	fs.ReadDirFS
}

type dirFS struct {
	osDir
	dir string
}

// open opens a file of the tree. One that is no regular file any more cannot keep the caller waiting.
func (d dirFS) open(name string) (io.ReadCloser, error) {
	path := filepath.Join(d.dir, filepath.FromSlash(name))
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		if err == nil {
			return descriptor(fd), nil
		}
		if err != unix.EINTR {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
	}
}

// A descriptor is an open file.
type descriptor int

func (d descriptor) Read(p []byte) (int, error) {
	for {
		n, err := unix.Read(int(d), p)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, err
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

func (d descriptor) Close() error { return unix.Close(int(d)) }
