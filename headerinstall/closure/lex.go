package closure

import "bytes"

// A place is where something begins in a file.
type place struct{ line, column int } // both from 1, the column in bytes

// A lexer finds the directives of a file. Of what lies between them it looks only at what may hide a directive, or look like
// one: comments, and the literals on the lines where those begin; and at CONFIG_ macros. A directive without comment and continuation is a part of the source,
// any other is put together in clean.
type lexer struct {
	source []byte
	at     int  // offset of what is next, outside of comments and literals
	bare   bool // at has only blanks and comments before it on its logical line

	text  []byte // the directive, a logical line from its # on
	start int    // offset of that #
	code  bool   // something is between this directive and the one before, or the end of the file
	clean []byte

	macros []configMacro // in that code

	unclosed *unclosed // what the file does not end

	hashes, slashes, raws, macroNames search
	counted, line                     int // line is that of the offset counted, from 1
}

// unclosed is a comment or raw string without end.
type unclosed struct {
	what  string
	place place
}

func newLexer(source, scratch []byte, macros []configMacro) lexer {
	return lexer{source: source, bare: true, clean: scratch, macros: macros, line: 1, hashes: search{at: -1}, slashes: search{at: -1}, raws: search{at: -1}, macroNames: search{at: -1}}
}

// next advances to the next directive.
func (l *lexer) next() bool {
	l.code, l.macros = false, l.macros[:0]
	for l.at < len(l.source) {
		if !l.bare {
			l.skipCode()
		} else if l.leading() {
			l.directive()
			return true
		}
	}
	return false
}

// leading skips what may come before a directive, and tells whether one comes.
func (l *lexer) leading() bool {
	for l.at < len(l.source) {
		switch c := l.source[l.at]; {
		case c == '\n' || isBlank(c):
			l.at++
		case c == '#':
			return true
		case c == '/' && l.comment():
		case c == '\\' && l.splice():
		default:
			l.bare, l.code = false, true
			return false
		}
	}
	return false
}

// directive takes the directive that begins here.
func (l *lexer) directive() {
	l.start = l.at
	line := l.source[l.at:]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	if l.slashes.byteFrom(l.source, l.at, '/') >= l.at+len(line) && !continued(line) {
		l.text = line
		l.at += len(line)
		return
	}
	l.assemble(true)
	l.text = l.clean
}

// skipCode goes on to what may be a directive, or to the end of a comment.
func (l *lexer) skipCode() {
	for i := l.at; ; {
		hash, slash, raw := l.hashes.byteFrom(l.source, i, '#'), l.slashes.byteFrom(l.source, i, '/'), l.raws.rawFrom(l.source, i)
		macro := l.macroNames.textFrom(l.source, i, configPrefix)
		found := min(hash, slash, raw, macro)
		i = found + 1
		switch {
		case found == len(l.source):
			l.at = found
			return
		case found == hash && l.beginsLine(found):
			l.at, l.bare = found, true
			return
		case found == raw, found == macro, found == slash && l.beginsComment(found):
			if line := l.beginOfLine(found); found != slash || bytes.ContainsAny(l.source[line:found], "\"'") {
				l.codeLine(line)
				return
			}
			l.bare = l.beginsLine(found)
			l.at = found
			l.comment()
			return
		}
	}
}

// codeLine takes the rest of the logical line that goes on at offset i, which is code.
func (l *lexer) codeLine(i int) {
	l.at = i
	l.assemble(false)
	l.bare = true
	for macro := range configMacros(l.clean) {
		if len(l.macros) == maxUses {
			break
		}
		l.macros = append(l.macros, configMacro{string(macro), i})
	}
}

// beginsLine tells whether only blanks lie between the begin of a logical line and offset i; at, which is in code, is no such begin.
func (l *lexer) beginsLine(i int) bool {
	for i--; i >= l.at; i-- {
		switch c := l.source[i]; {
		case c == '\n' && !l.splicedAt(i):
			return true
		case c == '\n':
			i = l.backslash(i)
		case !isBlank(c):
			return false
		}
	}
	return false
}

// beginOfLine returns where the logical line of offset i begins, at or after at.
func (l *lexer) beginOfLine(i int) int {
	for {
		newline := bytes.LastIndexByte(l.source[l.at:i], '\n')
		if newline < 0 {
			return l.at
		}
		if i = l.at + newline; !l.splicedAt(i) {
			return i + 1
		}
	}
}

// splicedAt tells whether the newline at i is part of a splice.
func (l *lexer) splicedAt(newline int) bool { return l.backslash(newline) >= l.at }

// backslash returns the offset of the backslash that splices the newline at i, or -1.
func (l *lexer) backslash(newline int) int {
	for i := newline - 1; i >= 0; i-- {
		if c := l.source[i]; c == '\\' {
			return i
		} else if !isBlank(c) {
			break
		}
	}
	return -1
}

// placeOf returns the place of an offset; that is quick if offsets grow from call to call.
func (l *lexer) placeOf(offset int) place {
	if offset < l.counted {
		l.counted, l.line = 0, 1
	}
	l.line += bytes.Count(l.source[l.counted:offset], newline)
	l.counted = offset
	return place{l.line, offset - bytes.LastIndexByte(l.source[:offset], '\n')}
}

var newline = []byte("\n")

// assemble puts the rest of a logical line together in clean.
func (l *lexer) assemble(isDirective bool) {
	l.clean = l.clean[:0]
	for l.at < len(l.source) {
		switch c := l.source[l.at]; c {
		case '\n':
			l.at++
			return
		case '\\':
			if !l.splice() {
				l.emit()
			}
		case '/':
			if l.comment() {
				l.clean = append(l.clean, ' ')
			} else {
				l.emit()
			}
		case '"':
			if isDirective || !isRawPrefix(l.clean) || !l.rawString() {
				l.literal(c)
			}
		case '\'':
			if l.separatesDigits() {
				l.emit()
			} else {
				l.literal(c)
			}
		case '<':
			if isDirective && expectsName(l.clean) {
				l.literal('>')
			} else {
				l.emit()
			}
		default:
			l.plain()
		}
	}
}

// continued tells whether a line ends in a backslash. gcc and clang let blanks follow it.
func continued(line []byte) bool {
	line = trimRight(line)
	return len(line) > 0 && line[len(line)-1] == '\\'
}

// special are the characters that logical looks at.
var special = [256]bool{'\n': true, '\\': true, '/': true, '"': true, '\'': true, '<': true}

// plain moves everything before the next special character to the clean line.
func (l *lexer) plain() {
	end := l.at
	for end < len(l.source) && !special[l.source[end]] {
		end++
	}
	l.append(end)
}

// emit moves one character to the clean line.
func (l *lexer) emit() { l.append(l.at + 1) }

func (l *lexer) append(end int) {
	l.clean = append(l.clean, l.source[l.at:end]...)
	l.at = end
}

// splice skips a backslash that continues the line, and that line's end.
func (l *lexer) splice() bool {
	n := spliceLen(l.source[l.at:])
	l.at += n
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

// beginsComment tells whether the slash at i begins a comment.
func (l *lexer) beginsComment(i int) bool {
	second := l.skipSplices(i + 1)
	return second < len(l.source) && (l.source[second] == '/' || l.source[second] == '*')
}

// comment skips the comment that begins here, if one does.
func (l *lexer) comment() bool {
	if !l.beginsComment(l.at) {
		return false
	}
	second := l.skipSplices(l.at + 1)
	if l.source[second] == '/' {
		l.at = l.endOfLine(second)
		return true
	}
	end, ok := l.endOfComment(second + 1)
	if !ok {
		l.unclosed = &unclosed{"the comment is not terminated; close it with */", l.placeOf(l.at)}
	}
	l.at = end
	return true
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

// endOfComment returns the offset after the end of a comment whose text begins at i. Slashes are rarer in comments than stars.
func (l *lexer) endOfComment(i int) (end int, ok bool) {
	for from := i; ; {
		slash := l.slashes.byteFrom(l.source, from, '/')
		if slash == len(l.source) {
			return slash, false
		}
		star := slash - 1
		for star >= i && l.source[star] == '\n' {
			backslash := l.backslash(star)
			if backslash < 0 {
				break
			}
			star = backslash - 1
		}
		if star >= i && l.source[star] == '*' {
			return slash + 1, true
		}
		from = slash + 1
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
		name := string(lastIdentifier(trimRight(before)))
		return name == hasInclude || name == hasIncludeNext
	}
	switch keyword(trimLeft(text[1:])) {
	case "include", "include_next", "import":
		return true
	}
	return false
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' }

// identifiers are the characters of an identifier.
var identifiers = func() (set [256]bool) {
	for _, c := range []byte("_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		set[c] = true
	}
	return set
}()

func isIdentifier(c byte) bool { return identifiers[c] }

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

func lastIdentifier(s []byte) []byte {
	n := len(s)
	for n > 0 && isIdentifier(s[n-1]) {
		n--
	}
	return s[n:]
}
