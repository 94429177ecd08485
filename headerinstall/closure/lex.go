package closure

import "bytes"

// A place is where something begins in a file.
type place struct{ line, column int } // both from 1, the column in bytes

// A lexer cuts a header into logical lines: joined, and with comments as a space. A line that has neither a comment nor a
// continuation is a part of the source, any other is put together in clean.
type lexer struct {
	source []byte
	at     int // offset of what is next
	line   int // line of what is next, from 1

	text  []byte // the logical line, without leading blanks
	place place  // where text begins
	clean []byte

	openComment *place // a comment that the file does not end
}

// next advances to the next logical line that is not blank.
func (l *lexer) next() bool {
	for l.at < len(l.source) {
		if l.physical() || l.logical() {
			return true
		}
	}
	return false
}

// physical takes one line of the source as it is, if that is not blank and nothing of phases 2 and 3 is in it. A blank line
// is taken too, and leaves physical to try the next one.
func (l *lexer) physical() bool {
	for l.at < len(l.source) {
		line, rest := l.source[l.at:], len(l.source)
		if end := bytes.IndexByte(line, '\n'); end >= 0 {
			line, rest = line[:end], l.at+end+1
		}
		if bytes.IndexByte(line, '/') >= 0 || continued(line) {
			return false
		}
		text := trimLeft(line)
		l.place = place{l.line, len(line) - len(text) + 1}
		l.at, l.text = rest, text
		l.line++
		if len(text) > 0 {
			return true
		}
	}
	return false
}

// continued tells whether a line ends in a backslash. gcc and clang let blanks follow it.
func continued(line []byte) bool {
	line = trimRight(line)
	return len(line) > 0 && line[len(line)-1] == '\\'
}

// logical puts one logical line together, and tells whether it is not blank.
func (l *lexer) logical() bool {
	l.clean, l.place = l.clean[:0], place{}
	for l.at < len(l.source) {
		switch c := l.source[l.at]; c {
		case '\n':
			l.at++
			l.line++
			l.text = l.clean
			return len(l.text) > 0
		case '\\':
			if !l.splice() {
				l.emit()
			}
		case '/':
			if !l.comment() {
				l.emit()
			}
		case '"', '\'':
			l.literal(c)
		case '<':
			if expectsName(l.clean) {
				l.literal('>')
			} else {
				l.emit()
			}
		default:
			l.plain()
		}
	}
	l.text = l.clean
	return len(l.text) > 0
}

// special are the characters that logical looks at.
var special = [256]bool{'\n': true, '\\': true, '/': true, '"': true, '\'': true, '<': true}

// plain moves everything before the next special character to the clean line; blanks that would be its first are dropped.
func (l *lexer) plain() {
	end := l.at
	for end < len(l.source) && !special[l.source[end]] {
		end++
	}
	if len(l.clean) == 0 {
		l.at = end - len(trimLeft(l.source[l.at:end]))
		if l.at == end {
			return
		}
	}
	l.append(end)
}

// emit moves one character to the clean line, which is no blank or not the first.
func (l *lexer) emit() { l.append(l.at + 1) }

func (l *lexer) append(end int) {
	if len(l.clean) == 0 {
		l.place = place{l.line, l.column()}
	}
	l.clean = append(l.clean, l.source[l.at:end]...)
	l.at = end
}

func (l *lexer) column() int { return l.at - bytes.LastIndexByte(l.source[:l.at], '\n') }

// splice skips a backslash that continues the line, and that line's end.
func (l *lexer) splice() bool {
	n := spliceLen(l.source[l.at:])
	if n > 0 {
		l.at += n
		l.line++
	}
	return n > 0
}

// spliceLen is the length of the splice that s begins with: a backslash, blanks, a newline; 0 if there is none.
func spliceLen(s []byte) int {
	if len(s) == 0 || s[0] != '\\' {
		return 0
	}
	for i := 1; i < len(s); i++ {
		if s[i] == '\n' {
			return i + 1
		}
		if !isBlank(s[i]) {
			return 0
		}
	}
	return 0
}

// skipSplices returns the offset of the first character at or after i that a splice does not hide.
func (l *lexer) skipSplices(i int) int {
	for {
		n := spliceLen(l.source[min(i, len(l.source)):])
		if n == 0 {
			return i
		}
		i += n
	}
}

// comment skips the comment that begins here, if one does.
func (l *lexer) comment() bool {
	second := l.skipSplices(l.at + 1)
	if second >= len(l.source) {
		return false
	}
	switch l.source[second] {
	case '/':
		l.skipTo(l.endOfLine(second))
	case '*':
		end, ok := l.endOfComment(second + 1)
		if !ok {
			l.openComment = &place{l.line, l.column()}
		}
		l.skipTo(end)
		if len(l.clean) > 0 {
			l.clean = append(l.clean, ' ')
		}
	default:
		return false
	}
	return true
}

func (l *lexer) skipTo(end int) {
	l.line += bytes.Count(l.source[l.at:end], []byte("\n"))
	l.at = end
}

// endOfLine returns the offset of the newline that ends the logical line, or of the end of the file.
func (l *lexer) endOfLine(i int) int {
	for {
		n := bytes.IndexByte(l.source[i:], '\n')
		if n < 0 {
			return len(l.source)
		}
		if !continued(l.source[i : i+n]) {
			return i + n
		}
		i += n + 1
	}
}

// endOfComment returns the offset after the end of a comment whose text begins at i.
func (l *lexer) endOfComment(i int) (end int, ok bool) {
	for {
		star := bytes.IndexByte(l.source[i:], '*')
		if star < 0 {
			return len(l.source), false
		}
		i += star + 1
		if slash := l.skipSplices(i); slash < len(l.source) && l.source[slash] == '/' {
			return slash + 1, true
		}
	}
}

// literal moves a string, a character or a header's name with its delimiters. One that its line does not end takes the rest of
// the line, as it does in gcc: the apostrophe of "#error don't" opens no literal that could hide a comment's end.
func (l *lexer) literal(end byte) {
	l.emit()
	for l.at < len(l.source) {
		c := l.source[l.at]
		if c == '\n' {
			return
		}
		if c == '\\' && l.splice() {
			continue
		}
		l.emit()
		switch {
		case c == end:
			return
		case c == '\\' && end != '>':
			// What is escaped may be on the next line.
			for l.splice() {
			}
			if l.at < len(l.source) && l.source[l.at] != '\n' {
				l.emit()
			}
		}
	}
}

// expectsName tells whether a "<" after this text begins the name of a header, in which "//" is no comment.
func expectsName(text []byte) bool {
	if len(text) == 0 || text[0] != '#' {
		return false
	}
	text = trimRight(text)
	if before, ok := bytes.CutSuffix(text, []byte("(")); ok {
		name := lastIdentifier(trimRight(before))
		return name == hasInclude || name == hasIncludeNext
	}
	return isInclude(string(trimLeft(text[1:])))
}

func isInclude(directive string) bool {
	return directive == "include" || directive == "include_next" || directive == "import"
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' }

func isIdentifier(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func trimLeft(s []byte) []byte {
	for len(s) > 0 && isBlank(s[0]) {
		s = s[1:]
	}
	return s
}

func trimRight(s []byte) []byte {
	for len(s) > 0 && isBlank(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// cutIdentifier splits the identifier off that s begins with, and the blanks after it.
func cutIdentifier(s []byte) (identifier, rest []byte) {
	n := 0
	for n < len(s) && isIdentifier(s[n]) {
		n++
	}
	return s[:n], trimLeft(s[n:])
}

func lastIdentifier(s []byte) string {
	n := len(s)
	for n > 0 && isIdentifier(s[n-1]) {
		n--
	}
	return string(s[n:])
}
