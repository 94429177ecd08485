package guest

import (
	"errors"
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
	filled chan error
}

// part is a file of the payload.
type part struct {
	name  string
	input io.ReaderAt
	size  int64
	close func() error
}

// newPayload returns a payload that is filled while QEMU starts.
func newPayload(c Config) (*payload, error) {
	parts, err := openParts(c)
	if err != nil {
		return nil, errors.Join(err, closeParts(parts))
	}
	head, err := wire.PayloadHead(jobOf(c, parts))
	if err != nil {
		return nil, errors.Join(err, closeParts(parts))
	}
	p := &payload{bytes: int64(len(head)), filled: make(chan error, 1)}
	for _, part := range parts {
		p.bytes += part.size
	}
	p.size = max(leastPayloadBytes, int64(1)<<bits.Len64(uint64(p.bytes-1)))
	if p.memory, err = newMemory("payload"); err != nil {
		return nil, errors.Join(err, closeParts(parts))
	}
	if err := p.memory.Truncate(p.size); err != nil {
		return nil, errors.Join(err, p.memory.Close(), closeParts(parts))
	}
	go func() {
		err := fill(p.memory, head, parts)
		p.filled <- errors.Join(err, closeParts(parts))
		close(p.filled)
	}()
	return p, nil
}

// wait waits until the payload is whole.
func (p *payload) wait() error { return <-p.filled }

func (p *payload) close() {
	for range p.filled { // it may not have been waited for
	}
	p.memory.Close()
}

// openParts opens the modules and then the programs. After an error, those that it returns are open.
func openParts(c Config) (parts []part, err error) {
	for _, file := range c.Modules {
		input, size, closeInput, err := kmod.Open(file)
		if err != nil {
			return parts, err
		}
		parts = append(parts, part{kmod.NameOf(file) + ".ko", input, size, closeInput})
	}
	for _, p := range c.Programs {
		f, err := os.Open(p.File)
		if err != nil {
			return parts, err
		}
		info, err := f.Stat()
		if err != nil {
			return parts, errors.Join(err, f.Close())
		}
		parts = append(parts, part{filepath.Base(p.File), f, info.Size(), f.Close})
	}
	return parts, nil
}

func closeParts(parts []part) error {
	var errs []error
	for _, p := range parts {
		errs = append(errs, p.close())
	}
	return errors.Join(errs...)
}

// jobOf says where the parts will lie.
func jobOf(c Config, parts []part) (job wire.Job) {
	var end int64
	for i, p := range parts {
		program := i - len(c.Modules)
		f := wire.File{Name: fmt.Sprintf("%02d-%s", i, p.name), Offset: end, Bytes: p.size} // the number keeps two files of the same name apart
		end += p.size
		if program < 0 {
			job.Modules = append(job.Modules, f)
			continue
		}
		f.Name = fmt.Sprintf("%02d-%s", program, p.name)
		job.Programs = append(job.Programs, wire.Program{File: f, Args: c.Programs[program].Args, Env: c.Programs[program].Env})
	}
	return job
}

func fill(memory *os.File, head []byte, parts []part) error {
	if _, err := memory.WriteAt(head, 0); err != nil {
		return err
	}
	offset := int64(len(head))
	for _, p := range parts {
		n, err := io.Copy(io.NewOffsetWriter(memory, offset), io.NewSectionReader(p.input, 0, p.size))
		if err == nil && n != p.size {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return fmt.Errorf("copying %s: %w", p.name, err)
		}
		offset += n
	}
	return nil
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
