package guest

import (
	"fmt"
	"io"
	"math/bits"
	"os"
	"path/filepath"

	"github.com/kmodaudit/kmodaudit/guest/wire"
	"github.com/kmodaudit/kmodaudit/kmod"
)

// leastPayloadBytes is the size of the memory for the payload, a power of two so that a machine with it, kept, fits other runs.
const leastPayloadBytes = 64 << 20

// payload is the job with its files, in memory that becomes the guest's.
type payload struct {
	memory *os.File
	bytes  int64 // of the payload
	size   int64 // of the memory
}

func newPayload(c Config) (*payload, error) {
	memory, err := newMemory("payload")
	if err != nil {
		return nil, err
	}
	p := &payload{memory: memory}
	if p.bytes, err = writePayload(memory, c); err == nil {
		p.size = max(leastPayloadBytes, int64(1)<<bits.Len64(uint64(p.bytes-1)))
		err = memory.Truncate(p.size)
	}
	if err != nil {
		memory.Close()
		return nil, err
	}
	return p, nil
}

func writePayload(w io.Writer, c Config) (int64, error) {
	var job wire.Job
	var contents [][]byte
	var size int64
	add := func(i int, name string, content []byte) wire.File {
		f := wire.File{Name: fmt.Sprintf("%02d-%s", i, name), Offset: size, Bytes: int64(len(content))} // the number keeps two files of the same name apart
		contents, size = append(contents, content), size+f.Bytes
		return f
	}
	for i, file := range c.Modules {
		content, err := kmod.ReadFile(file)
		if err != nil {
			return 0, err
		}
		job.Modules = append(job.Modules, add(i, kmod.NameOf(file)+".ko", content))
	}
	for i, p := range c.Programs {
		content, err := os.ReadFile(p.File)
		if err != nil {
			return 0, err
		}
		job.Programs = append(job.Programs, wire.Program{File: add(i, filepath.Base(p.File), content), Args: p.Args, Env: p.Env})
	}
	head, err := wire.PayloadHead(job)
	if err != nil {
		return 0, err
	}
	for _, part := range append([][]byte{head}, contents...) {
		if _, err := w.Write(part); err != nil {
			return 0, err
		}
	}
	return int64(len(head)) + size, nil
}

// fetch puts what was lent into the text of a record.
func (p *payload) fetch(r *wire.Record) error {
	if r.Lent == nil {
		return nil
	}
	a := *r.Lent
	if a.Offset < p.bytes || a.Bytes < 0 || a.Bytes > p.size-a.Offset {
		return fmt.Errorf("a text would be at %d with %d bytes, outside of the memory for texts from %d to %d", a.Offset, a.Bytes, p.bytes, p.size)
	}
	text := make([]byte, a.Bytes)
	if _, err := p.memory.ReadAt(text, a.Offset); err != nil {
		return fmt.Errorf("reading a text that was lent: %w", err)
	}
	r.Text, r.Lent = string(text), nil
	return nil
}
