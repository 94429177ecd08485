package closure

import (
	"bytes"
	"fmt"
	"slices"
)

const (
	// maxDepth bounds the nesting of conditionals; C asks compilers for 63 (C11 5.2.4.1), the kernel's headers need less than 20.
	maxDepth = 200

	// maxUses bounds what is kept of one file.
	maxUses = 10000
)

// maxNULOffset bounds the search for what no text has: in UTF-16, the second or third character is one already.
const maxNULOffset = 512

// A file is what one pass over a file finds.
type file struct {
	name     string // slash-separated, in its directory
	bytes    int
	includes []include
	configs  []configUse
	defines  []string // the CONFIG_ macros that it defines
	naked    bool     // needs a guard, and has none
	errors   []SyntaxError
}

// An include is one #include that may be compiled.
type include struct {
	name   string // the text of a computed one
	line   int
	branch *branch
	form   form
	asked  bool // __has_include is asked for it
}

type form byte

const (
	angled form = iota
	quoted
	next // #include_next
	computed
)

// A configUse is a CONFIG_ macro in what user space reaches.
type configUse struct {
	macro  string
	line   int
	branch *branch
}

// A scanner reads one file after the other.
type scanner struct {
	lexer
	file     *file
	open     []conditional
	guard    guard
	declares bool
	full     bool // a bound is reached, and the rest of the file not read
}

// scan reads a file. Nothing of what it returns is a part of source.
func (s *scanner) scan(name string, source []byte) *file {
	source = bytes.TrimPrefix(source, []byte("\xEF\xBB\xBF"))
	if bytes.IndexByte(source, '\n') < 0 { // lines of old Macs, which gcc and clang read too
		source = bytes.ReplaceAll(source, []byte("\r"), newline)
	}
	*s = scanner{lexer: newLexer(source, s.clean, s.macros), open: s.open[:0], file: &file{name: name, bytes: len(source)}}
	if nul := bytes.IndexByte(source[:min(len(source), maxNULOffset)], 0); nul >= 0 {
		s.fail(s.placeOf(nul), "a NUL byte, this is no text in ASCII or UTF-8; the file was not read")
		s.full = true
	}
	for more := true; more && !s.full; {
		more = s.next()
		for _, macro := range s.macros {
			s.config(macro.name, macro.start)
		}
		if s.code && !s.dead() {
			s.declares = true
			s.guard.content(len(s.open))
		}
		if more {
			s.directive()
		}
	}
	s.finish()
	return s.file
}

func (s *scanner) branch() *branch {
	if len(s.open) == 0 {
		return nil
	}
	return s.open[len(s.open)-1].branch
}

func (s *scanner) dead() bool { return len(s.open) > 0 && s.branch().dead }

func (s *scanner) fail(at place, format string, args ...any) {
	s.file.errors = append(s.file.errors,
		SyntaxError{File: s.file.name, Line: at.line, Column: at.column, What: fmt.Sprintf(format, args...)})
	s.full = s.full || len(s.file.errors) == maxUses
}

func (s *scanner) directive() {
	name, rest := cutIdentifier(trimLeft(s.text[1:]))
	rest = trimRight(rest)
	directive := keyword(name)
	switch directive {
	case "if", "ifdef", "ifndef":
		s.opening(directive, rest)
		return
	case "elif", "elifdef", "elifndef", "else":
		s.turning(directive, rest)
		return
	case "endif":
		s.closing()
		return
	}
	if s.dead() || len(name) == 0 {
		return
	}
	if directive == "pragma" && string(rest) == "once" {
		s.guard.pragmaOnce(len(s.open))
		return
	}
	s.guard.content(len(s.open))
	switch directive {
	case "define":
		s.define(rest)
	case "include", "include_next", "import":
		s.include(directive, rest)
	}
}

// keywords are the directives that matter.
var keywords = []string{"define", "endif", "ifdef", "if", "include", "ifndef", "else", "elif", "pragma", "include_next", "import", "elifdef", "elifndef"}

// keyword returns the keyword that name is, or "".
func keyword(name []byte) string {
	for _, k := range keywords {
		if string(name) == k {
			return k
		}
	}
	return ""
}

func (s *scanner) opening(directive string, expression []byte) {
	if len(s.open) == maxDepth {
		s.fail(s.placeOf(s.start), "conditionals are nested more than %d deep; the rest of the file was not read", maxDepth)
		s.full = true
		return
	}
	c := newConditional(s.branch(), s.placeOf(s.start), directive, expression)
	s.guard.opened(len(s.open), directive, expression, c.branch)
	s.open = append(s.open, c)
	s.configs(expression)
}

func (s *scanner) turning(directive string, expression []byte) {
	if len(s.open) == 0 {
		s.fail(s.placeOf(s.start), "#%s without #if; add the #if, or remove it", directive)
		return
	}
	c := &s.open[len(s.open)-1]
	if c.last {
		s.fail(s.placeOf(s.start), "#%s after the #else of the conditional of line %d; close that with #endif", directive, c.place.line)
		return
	}
	s.guard.turned(len(s.open))
	if directive == "else" {
		expression = nil
	}
	c.turn(directive, expression)
	s.configs(expression)
}

func (s *scanner) closing() {
	if len(s.open) == 0 {
		s.fail(s.placeOf(s.start), "#endif without #if; add the #if, or remove it")
		return
	}
	s.guard.closed(len(s.open))
	s.open = s.open[:len(s.open)-1]
}

func (s *scanner) define(rest []byte) {
	s.declares = true
	if s.guard.settled() && !bytes.Contains(rest, configPrefix) {
		return
	}
	name, body := cutIdentifier(rest)
	s.guard.macroDefined(name)
	if bytes.HasPrefix(name, configPrefix) {
		s.file.defines = append(s.file.defines, string(name))
	}
	s.configs(body)
}

func (s *scanner) include(directive string, rest []byte) {
	i := include{line: s.placeOf(s.start).line, branch: s.branch()}
	name, isQuoted, ok := headerName(rest)
	switch {
	case ok && directive == "include_next":
		i.name, i.form = name, next
	case ok && isQuoted:
		i.name, i.form = name, quoted
	case ok:
		i.name = name
	case len(rest) == 0 || rest[0] == '<' || rest[0] == '"':
		s.fail(s.placeOf(s.start), `want #%s "name" or <name>, got %.60q; complete it`, directive, rest)
		return
	default:
		i.name, i.form = string(rest[:min(len(rest), maxConditionBytes)]), computed
	}
	i.asked = slices.ContainsFunc(s.open, func(c conditional) bool { return slices.Contains(c.asked, i.name) })
	s.file.includes = append(s.file.includes, i)
	s.bound(len(s.file.includes))
}

// configs notes the CONFIG_ macros of an expression.
func (s *scanner) configs(expression []byte) {
	for macro := range configMacros(expression) {
		s.config(string(macro), s.start)
	}
}

// config notes a CONFIG_ macro of the line at an offset.
func (s *scanner) config(macro string, start int) {
	b := s.branch()
	if b != nil && (b.dead || b.kernel) {
		return
	}
	s.file.configs = append(s.file.configs, configUse{macro, s.placeOf(start).line, b})
	s.bound(len(s.file.configs))
}

func (s *scanner) bound(uses int) {
	if uses >= maxUses && !s.full {
		s.fail(s.placeOf(s.start), "more than %d includes or CONFIG_ macros, this is no header; the rest of the file was not read", maxUses)
		s.full = true
	}
}

// finish judges what only the end of the file shows.
func (s *scanner) finish() {
	if s.unclosed != nil {
		s.fail(s.unclosed.place, "%s", s.unclosed.what)
	}
	if s.full {
		return
	}
	if s.unclosed == nil {
		for _, c := range s.open {
			s.fail(c.place, "%s is not terminated; close it with #endif", c.opening)
		}
	}
	if s.guard.complete() {
		if s.guard.state == guardClosed && s.guard.defined {
			s.guard.branch.condition = "" // it holds for whoever includes the header
		}
		return
	}
	s.file.naked = s.declares
}
