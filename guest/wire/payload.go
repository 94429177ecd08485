package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
)

// PayloadAddress is where the payload begins in the guest's physical memory: where the memory ends that a guest has below 4 GiB, and
// in a region of its own that the kernel knows to be persistent memory, which it leaves alone without a driver.
const PayloadAddress = 4 << 30

// A payload is the job and the files that it names:
//
//	length of the job  8 bytes, little-endian
//	the job            JSON
//	the files          one after the other
const lengthBytes = 8

// File is a file of the payload.
type File struct {
	Name   string `json:"name"`
	Offset int64  `json:"offset"` // in bytes from the end of the job
	Bytes  int64  `json:"bytes"`
}

// PayloadHead is what comes before the files.
func PayloadHead(job Job) ([]byte, error) {
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
}

// Payload is one that was received.
type Payload struct {
	Job   Job
	files []byte
}

// OpenPayload reads a payload, whose files it does not copy.
func OpenPayload(data []byte) (Payload, error) {
	var p Payload
	if len(data) < lengthBytes {
		return p, fmt.Errorf("reading the job: the payload has %d bytes", len(data))
	}
	length, rest := binary.LittleEndian.Uint64(data), data[lengthBytes:]
	if length > uint64(len(rest)) {
		return p, fmt.Errorf("reading the job: it would have %d bytes, the payload has %d", length, len(data))
	}
	if err := json.Unmarshal(rest[:length], &p.Job); err != nil {
		return p, fmt.Errorf("reading the job: %w", err)
	}
	p.files = rest[length:]
	return p, nil
}

// Content returns what is in a file.
func (p Payload) Content(f File) ([]byte, error) {
	size := int64(len(p.files))
	if f.Offset < 0 || f.Bytes < 0 || f.Offset > size || f.Bytes > size-f.Offset {
		return nil, fmt.Errorf("the file %s would be at %d with %d bytes, the payload has %d bytes of files", f.Name, f.Offset, f.Bytes, size)
	}
	return p.files[f.Offset : f.Offset+f.Bytes], nil
}
