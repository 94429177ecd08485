package headerinstall

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"

	"github.com/rogpeppe/go-internal/diff"
	"golang.org/x/sys/unix"
)

// maxDiffBytes bounds the files that are compared line by line.
const maxDiffBytes = 16 << 20

// Diff writes what the plan changes in the destination as a unified diff of the headers, in the order of
// the plan. A header that is new or stale is compared with /dev/null.
func (p Plan) Diff(ctx context.Context, w io.Writer) error {
	dest, err := p.Config.openDest()
	if err != nil {
		return fmt.Errorf("comparing headers: %w", err)
	}
	defer dest.close()
	worker := newWorker()
	defer worker.close()
	for e, h := range p.all() {
		if ctx.Err() != nil {
			return fmt.Errorf("comparing headers: %w", context.Cause(ctx))
		}
		text, err := worker.diff(e, h, dest)
		if err != nil {
			return fmt.Errorf("comparing headers: %w", err)
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}

const nowhere = "/dev/null"

// diff compares what an entry has in the destination with its header, if it has one.
func (w *worker) diff(e Entry, h *header, dest dir) (text []byte, err error) {
	oldName, newName := "a/"+e.Destination, "b/"+e.Destination
	var old, new []byte
	switch e.Action {
	case Same, Kept:
		return nil, nil
	case New:
		oldName = nowhere
	case Stale:
		newName = nowhere
	}
	if e.Action != New {
		if old, err = w.installed(e.Destination, dest); err != nil {
			return nil, unreadable(e.Destination, err)
		}
	}
	if e.Action != Stale {
		fd, stat, err := w.open(h.source())
		if err == nil {
			new, err = w.readAll(fd, stat.Size)
		}
		if err != nil {
			return nil, unreadable(e.Source, err)
		}
	}
	if len(old) > maxDiffBytes || len(new) > maxDiffBytes || bytes.IndexByte(old, 0) >= 0 || bytes.IndexByte(new, 0) >= 0 {
		return fmt.Appendf(nil, "Binary files %s and %s differ\n", oldName, newName), nil
	}
	return diff.Diff(oldName, old, newName, new), nil
}

// installed reads what is at a destination, if that is a file.
func (w *worker) installed(destination string, dest dir) ([]byte, error) {
	d, err := dest.sub(path.Dir(destination))
	if err != nil {
		return nil, err
	}
	defer d.close()
	if d.isLink(path.Base(destination)) {
		return nil, nil
	}
	opened, err := d.open(path.Base(destination))
	if err != nil {
		return nil, err
	}
	fd, stat, err := checkRegular(opened)
	if err != nil {
		return nil, err
	}
	return w.readAll(fd, stat.Size)
}

// readAll reads and closes a file, of which it keeps no more than a diff may have.
func (w *worker) readAll(fd int, size int64) (content []byte, err error) {
	defer unix.Close(fd)
	err = w.blocks(fd, size, func(block []byte) error {
		if len(content) <= maxDiffBytes {
			content = append(content, block...)
		}
		return nil
	})
	return content, err
}
