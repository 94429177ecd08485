package stackcheck

import (
	"fmt"
	"io"
)

// What a compressed snapshot may expand to, whatever its size, and as a multiple of it: OpenZFS's expands 15-fold, and what
// expands 4,000-fold was made to fill the memory.
const (
	freeExpansionBytes = 8 << 20
	maxExpansion       = 200
)

// An expansion is what a decoder makes of compressed bytes, and ends in an error once it is more than they can be of a snapshot.
type expansion struct {
	plain      io.Reader
	compressed *countingReader
	bytes      int64 // read of plain
}

func (e *expansion) Read(p []byte) (int, error) {
	n, err := e.plain.Read(p)
	e.bytes += int64(n)
	if e.bytes > freeExpansionBytes && e.bytes > maxExpansion*e.compressed.bytes {
		return 0, fmt.Errorf("%d compressed bytes expand to more than %d", e.compressed.bytes, e.bytes)
	}
	return n, err
}

// countingReader counts what is read.
type countingReader struct {
	r     io.Reader
	bytes int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.bytes += int64(n)
	return n, err
}
