package headerinstall

import (
	"context"
	"slices"
	"sync"
)

// groupEntries is how many entries are worked on at a time. While they are installed, each has a file open.
const groupEntries = 64

// batch is headers of one directory of the destination, with what is known of their destinations. A worker uses one for all that it
// is dealt.
type batch struct {
	dir     string
	headers []header
	known   []known

	staged []stagedFile // what is being written
	lines  []byte       // of the journal
}

// hand is what a worker is dealt at a time: headers of as many directories as it takes, since these are mostly small.
type hand struct {
	headers []header
	known   []known
	files   []File // that known refers to
}

// batch takes the headers of the next directory out of the hand, and says whether there was one.
func (dealt *hand) batch(b *batch) bool {
	if len(dealt.headers) == 0 {
		return false
	}
	d, n := dealt.headers[0].dir, 1
	for n < len(dealt.headers) && dealt.headers[n].dir.to == d.to {
		n++
	}
	b.dir = d.dest()
	b.headers, dealt.headers = dealt.headers[:n], dealt.headers[n:]
	if len(dealt.known) > 0 {
		b.known, dealt.known = dealt.known[:n], dealt.known[n:]
	}
	return true
}

// known is what earlier runs have put at a destination.
type known struct {
	files      []File // as the last manifest has it, then as a killed run's journal has it; nil if foreign
	isRecorded bool   // the last manifest can stay as it is, if size, digest and times are the header's
}

// dealer deals the headers of a table to workers, in their order.
type dealer struct {
	table  *table
	wanted func(*row) bool
	last   *recordReader // what batches are to know; nil for nothing

	mu       sync.Mutex
	at       int      // the row that comes next
	ahead    []File   // what last comes to next; nil if it has not been read yet
	outlived recorder // of what last has, and the table has not
}

// run has workers do the wanted headers, batch by batch. It stops at the first error, or when ctx is done.
func (d *dealer) run(ctx context.Context, do func(*worker, *batch) error) error {
	return inParallel(ctx, len(d.table.rows), func(ctx context.Context, w *worker) error {
		var b batch
		var room hand
		for {
			dealt, err := d.next(&room)
			if err != nil || len(dealt.headers) == 0 {
				return err
			}
			for dealt.batch(&b) {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if err := do(w, &b); err != nil {
					return err
				}
			}
		}
	})
}

// next deals a hand, in the room of the last one; it is empty at the end.
func (d *dealer) next(room *hand) (hand, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	room.headers, room.known, room.files = room.headers[:0], room.known[:0], room.files[:0]
	for ; d.at < len(d.table.rows) && len(room.headers) < groupEntries; d.at++ {
		if !d.table.isLast(d.at) || !d.wanted(&d.table.rows[d.at]) {
			continue
		}
		h := d.table.header(d.at)
		if d.last != nil {
			if err := d.know(room, &h); err != nil {
				return hand{}, err
			}
		}
		room.headers = append(room.headers, h)
	}
	return *room, nil
}

// know adds to a hand what is known of the destination of a header.
func (d *dealer) know(dealt *hand, h *header) error {
	for {
		if err := d.look(); err != nil {
			return err
		}
		order := -1
		if len(d.ahead) > 0 {
			order = compareJoined(h.dir.to, h.name, d.ahead[0].Destination, "")
		}
		switch {
		case order > 0:
			d.outlive()
			continue
		case order < 0:
			dealt.known = append(dealt.known, known{})
		default:
			dealt.know(h, d.ahead)
			d.ahead = nil
		}
		return nil
	}
}

// know adds what is known of the destination of a header. What the files' strings are in is there until the next are read.
func (dealt *hand) know(h *header, files []File) {
	f := &files[0]
	k := known{isRecorded: f.Mode == FileMode && slices.Equal(f.Also, h.table.also[h.index]) &&
		compareJoined(h.dir.from, h.sourceName(), f.Source, "") == 0}
	start := len(dealt.files)
	for _, f := range files {
		f.Destination, f.Source, f.Also = "", "", nil
		dealt.files = append(dealt.files, f)
	}
	k.files = dealt.files[start:len(dealt.files):len(dealt.files)]
	dealt.known = append(dealt.known, k)
}

// look sees to it that ahead has been read.
func (d *dealer) look() (err error) {
	if d.ahead == nil {
		d.ahead, err = d.last.next()
	}
	return err
}

// outlive puts ahead to what has no header any more.
func (d *dealer) outlive() {
	for i := range d.ahead {
		d.outlived.add(&d.ahead[i])
	}
	d.ahead = nil
}

// rest puts what comes behind the last header to what has none any more.
func (d *dealer) rest() error {
	for {
		if err := d.look(); err != nil || len(d.ahead) == 0 {
			return err
		}
		d.outlive()
	}
}
