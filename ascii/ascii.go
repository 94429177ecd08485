// Package ascii tells text that can be printed as it is, as nearly all can, from text that needs a closer look: eight bytes
// at once.
package ascii

import (
	"encoding/binary"
	"unsafe"
)

// IsPrint says whether a text has only bytes from ' ' to '~'.
func IsPrint(s []byte) bool {
	for ; len(s) >= 8; s = s[8:] {
		if notPrint(binary.LittleEndian.Uint64(s)) {
			return false
		}
	}
	return !notPrint(last(s))
}

// IsPrintString is as IsPrint.
func IsPrintString(s string) bool { return IsPrint(bytesOf(s)) }

// IsQuotable says whether a text has only bytes from ' ' to '~', and neither " nor \, so that in quotes it is itself in
// JSON, Go and TOML.
func IsQuotable(s []byte) bool {
	for ; len(s) >= 8; s = s[8:] {
		if x := binary.LittleEndian.Uint64(s); notPrint(x) || has(x, '"') || has(x, '\\') {
			return false
		}
	}
	x := last(s)
	return !notPrint(x) && !has(x, '"') && !has(x, '\\')
}

// IsQuotableString is as IsQuotable.
func IsQuotableString(s string) bool { return IsQuotable(bytesOf(s)) }

func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

const (
	every = 0x0101010101010101 // times a byte, it is in each of the eight of a word
	high  = 0x80 * every
)

// last is the word of less than eight bytes and of spaces behind them.
func last(s []byte) uint64 {
	x := uint64(' ' * every)
	for _, b := range s {
		x = x<<8 | uint64(b)
	}
	return x
}

// notPrint says whether a byte of a word is not from ' ' to '~': one above has its highest bit set, or once 1 is added; one below
// has it once ' ' is subtracted.
func notPrint(x uint64) bool { return (x|(x+every)|(x-' '*every))&high != 0 }

// has says whether a byte is in a word: then the difference has a zero byte, which is borrowed from.
func has(x uint64, b uint64) bool {
	d := x ^ b*every
	return (d-every)&^d&high != 0
}
