package zevent

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// appendEscaped appends a string with each character that does not print, and
// each byte that is not UTF-8, as in Go: \n, \x1b, \u202e.
func appendEscaped(b []byte, s string) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			b = fmt.Appendf(b, `\x%02x`, s[0])
		case strconv.IsPrint(r):
			b = append(b, s[:n]...)
		default:
			quoted := strconv.QuoteRune(r)
			b = append(b, quoted[1:len(quoted)-1]...)
		}
		s = s[n:]
	}
	return b
}

// appendEscapedJSON appends JSON with each character that does not print as
// \uXXXX. The encoder has done so for those below U+0020.
func appendEscapedJSON(b, line []byte) []byte {
	for len(line) > 0 {
		r, n := utf8.DecodeRune(line)
		switch {
		case r < utf8.RuneSelf && r != 0x7f || strconv.IsPrint(r):
			b = append(b, line[:n]...)
		default:
			for _, unit := range utf16.AppendRune(nil, r) {
				b = fmt.Appendf(b, `\u%04x`, unit)
			}
		}
		line = line[n:]
	}
	return b
}
