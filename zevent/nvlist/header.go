package nvlist

import (
	"encoding/binary"
	"fmt"
)

// Encoding is the first byte of a stream.
type Encoding uint8

// The encodings: NV_ENCODE_NATIVE and NV_ENCODE_XDR of include/sys/nvpair.h.
const (
	Native Encoding = 0
	XDR    Encoding = 1
)

// Header is the 4-byte head of a stream.
type Header struct {
	Encoding  Encoding
	BigEndian bool // byte order of the writer; an XDR body is big-endian whatever it says
}

// headerBytes is the length of nvs_header_t: encoding, endian, two reserved.
const headerBytes = 4

// Host returns the header that the running kernel writes and requires:
// native, in the byte order of this machine. A kernel answers ENOTSUP to the
// other order.
func Host() Header {
	return Header{BigEndian: binary.NativeEndian.Uint16([]byte{0, 1}) == 1}
}

// ParseHeader reads the head of a stream. The two reserved bytes are ignored,
// as libnvpair does.
func ParseHeader(stream []byte) (Header, error) {
	if len(stream) < headerBytes {
		return Header{}, &DecodeError{Offset: 0, What: fmt.Sprintf("want a %d-byte stream header, got %d bytes", headerBytes, len(stream))}
	}
	encoding, endian := Encoding(stream[0]), stream[1]
	if encoding > XDR {
		return Header{}, &DecodeError{Offset: 0, What: fmt.Sprintf("encoding %d: want 0 (native) or 1 (XDR)", encoding)}
	}
	if endian > 1 {
		return Header{}, &DecodeError{Offset: 1, What: fmt.Sprintf("endian %d: want 0 (big) or 1 (little)", endian)}
	}
	return Header{Encoding: encoding, BigEndian: endian == 0}, nil
}

func (h Header) append(b []byte) []byte {
	little := byte(1)
	if h.BigEndian {
		little = 0
	}
	return append(b, byte(h.Encoding), little, 0, 0)
}

// DecodeError says where a stream is not what libnvpair would have packed.
type DecodeError struct {
	Offset int // bytes from the start of the stream
	What   string
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("decoding nvlist: offset %d: %s", e.Offset, e.What)
}
