package zevent

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/kmodaudit/kmodaudit/ascii"
)

// appendEscaped appends a string with each character that does not print, and
// each byte that is not UTF-8, as in Go: \n, \x1b, \u202e.
func appendEscaped(b, s []byte) []byte {
	if ascii.IsPrint(s) {
		return append(b, s...)
	}
	for len(s) > 0 {
		n := plainBytes(s, 0, 0)
		b, s = append(b, s[:n]...), s[n:]
		if len(s) == 0 {
			break
		}
		r, n := utf8.DecodeRune(s)
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

// appendJSONString appends a string in quotes, with what does not print as
// \uXXXX, and bytes that are not UTF-8 as U+FFFD.
func appendJSONString(b, s []byte) []byte {
	b = append(b, '"')
	if ascii.IsQuotable(s) {
		return append(append(b, s...), '"')
	}
	for len(s) > 0 {
		n := plainBytes(s, '"', '\\')
		b, s = append(b, s[:n]...), s[n:]
		if len(s) == 0 {
			break
		}
		r, n := utf8.DecodeRune(s)
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case strconv.IsPrint(r) && r != utf8.RuneError:
			b = append(b, s[:n]...)
		default:
			var units [2]uint16
			for _, unit := range utf16.AppendRune(units[:0], r) {
				b = fmt.Appendf(b, `\u%04x`, unit)
			}
		}
		s = s[n:]
	}
	return append(b, '"')
}

// plainBytes is how many bytes of s, from its start on, are characters of ASCII
// that print and are not these two.
func plainBytes(s []byte, but1, but2 byte) int {
	for i, c := range s {
		if c-' ' >= 0x7f-' ' || c == but1 || c == but2 {
			return i
		}
	}
	return len(s)
}
