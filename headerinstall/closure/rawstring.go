package closure

import (
	"bytes"
	"slices"
)

// maxDelimiterBytes bounds what stands between the quote and the parenthesis of a raw string (C++17 [lex.string]).
const maxDelimiterBytes = 16

// rawPrefixes are what makes a quote begin a raw string, in C++ and in the C of gcc.
var rawPrefixes = []string{"R", "LR", "uR", "UR", "u8R"}

// isRawPrefix tells whether a quote after this text begins a raw string, should the text be code.
func isRawPrefix(text []byte) bool {
	if len(text) == 0 || text[len(text)-1] != 'R' {
		return false
	}
	n := len(text)
	for n > 0 && len(text)-n < 4 && isIdentifier(text[n-1]) {
		n--
	}
	return slices.Contains(rawPrefixes, string(text[n:]))
}

// rawString skips the raw string whose quote is here, if one is; in it, nothing has a meaning but its end.
func (l *lexer) rawString() bool {
	rest := l.source[l.at+1:]
	n := bytes.IndexByte(rest[:min(len(rest), maxDelimiterBytes+1)], '(')
	if n < 0 || bytes.ContainsAny(rest[:n], " \t\v\f\r\n)\\\"") {
		return false
	}
	end := ")" + string(rest[:n]) + `"`
	length := bytes.Index(rest, []byte(end))
	if length < 0 {
		l.unclosed = &unclosed{"the raw string is not terminated; close it with " + end, l.placeOf(l.at)}
		l.at = len(l.source)
		return true
	}
	l.clean = append(l.clean, `""`...)
	l.at += 1 + length + len(end)
	return true
}

// maxNumberBytes bounds how much of a number is looked at.
const maxNumberBytes = 64

// separatesDigits tells whether the apostrophe here is in a number, as that of 1'000 is in C++14 and C23.
func (l *lexer) separatesDigits() bool {
	next := l.skipSplices(l.at + 1)
	if next >= len(l.source) || !isIdentifier(l.source[next]) {
		return false
	}
	n := len(l.clean)
	for n > 0 && len(l.clean)-n < maxNumberBytes && (isIdentifier(l.clean[n-1]) || l.clean[n-1] == '\'') {
		n--
	}
	return n < len(l.clean) && '0' <= l.clean[n] && l.clean[n] <= '9'
}
