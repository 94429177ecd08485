package compile

import (
	"bufio"
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// A Class is why a header does not compile, as far as its first error tells.
type Class string

// The classes.
const (
	MissingInclude   Class = "missing-include"    // it includes what is not on the include path
	NotSelfContained Class = "not-self-contained" // it uses what it neither declares nor includes
	Conflicting      Class = "conflicting"        // it declares what is declared otherwise, or fails only when included again
	Other            Class = "other"              // #error, syntax, or anything else
)

// phrases are what the messages of a class contain in the C locale, in the order in which classes are tried: those of gcc (gcc/c/c-decl.cc,
// gcc/cp/decl.cc) and of clang (DiagnosticSemaKinds.td, DiagnosticLexKinds.td).
var phrases = []struct {
	class Class
	any   []string
}{
	{MissingInclude, []string{"No such file or directory", "file not found"}},
	{Conflicting, []string{"redefinition", "redefined", "redeclar", "conflicting "}},
	{NotSelfContained, []string{"unknown type name", "undeclared", "implicit declaration", "incomplete type",
		"not declared", "not been declared", "does not name a type", "unknown class name", "expected declaration specifiers",
		// What follows a type that is not known is taken for something else: in a structure, in "typedef unknown_t (function_t)(void)", in C++ also in "void f(unknown_t *)".
		"expected specifier-qualifier-list", "declared as function returning a function", "with no type", "declared void"}},
}

// A Diagnostic is one error of the compiler.
type Diagnostic struct {
	File    string `json:"file,omitempty"` // as the compiler names it; "<stdin>" is the translation unit
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`         // "fatal error: x.h: No such file or directory"
	Again   bool   `json:"again,omitempty"` // it comes of the second inclusion
}

// String returns the diagnostic as the compiler prints it.
func (d Diagnostic) String() string {
	switch {
	case d.File == "":
		return d.Message
	case d.Column == 0:
		return fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Column, d.Message)
}

// class tells what kind of failure a first error is.
func (d Diagnostic) class() Class {
	for _, p := range phrases {
		for _, phrase := range p.any {
			if strings.Contains(d.Message, phrase) {
				return p.class
			}
		}
	}
	if d.Again {
		return Conflicting
	}
	return Other
}

// located is "file:line:column: error: message"; the column may be missing (-fno-show-column).
var located = sync.OnceValue(func() *regexp.Regexp { // most runs compile no header
	return regexp.MustCompile(`^(.*?):(\d+):(?:(\d+):)? ((?:fatal )?error: .*)$`)
})

// unlocated is an error of the compiler itself: "cc1: error: unrecognized ...".
var unlocated = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^ :]+: (?:fatal )?error: .*$`) })

// firstError finds the first error in what a compiler printed; if there is none, the first line stands for it.
func firstError(output []byte) Diagnostic {
	var first string
	again := false
	lines := bufio.NewScanner(bytes.NewReader(output))
	lines.Buffer(nil, maxOutputBytes+1)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "In file included from ") {
			again = false
		}
		// The last line of an inclusion's trace names the translation unit: "                 from <stdin>:2:".
		again = again || strings.Contains(line, "from <stdin>:2:")
		if m := located().FindStringSubmatch(line); m != nil {
			d := Diagnostic{File: m[1], Message: m[4], Again: again || m[1] == stdin && m[2] == "2"}
			d.Line, _ = strconv.Atoi(m[2])
			d.Column, _ = strconv.Atoi(m[3])
			return d
		}
		if unlocated().MatchString(line) {
			return Diagnostic{Message: line}
		}
		if first == "" {
			first = strings.TrimSpace(line)
		}
	}
	if first == "" {
		first = "the compiler failed and printed nothing"
	}
	return Diagnostic{Message: first}
}
