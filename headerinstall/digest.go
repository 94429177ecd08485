package headerinstall

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Digest is the SHA-256 of a file's content; as text it is 64 lower-case hexadecimal digits.
type Digest [sha256.Size]byte

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText returns the digits.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the digits.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("SHA-256 %q has %d digits, want %d", text, len(text), hex.EncodedLen(len(d)))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// opener is os.OpenFile, or the same method of an os.Root.
type opener func(name string, flag int, perm fs.FileMode) (*os.File, error)

// openRegular opens a regular file for reading. It neither follows a link in the last component
// nor waits for a fifo's writer, should one have taken the file's place since it was looked at.
func openRegular(open opener, name string) (*os.File, error) {
	f, err := open(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: fmt.Errorf("is %s, not a regular file", kind(info.Mode()))}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// copyDigest copies r to w and returns the digest and the number of bytes.
func copyDigest(w io.Writer, r io.Reader) (d Digest, size int64, err error) {
	hash := sha256.New()
	size, err = io.Copy(io.MultiWriter(w, hash), r)
	hash.Sum(d[:0])
	return d, size, err
}

// digestFile returns the digest and the size in bytes of a regular file.
func digestFile(open opener, name string) (Digest, int64, error) {
	f, err := openRegular(open, name)
	if err != nil {
		return Digest{}, 0, err
	}
	defer f.Close()
	return copyDigest(io.Discard, f)
}
