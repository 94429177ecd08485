package closure

import (
	"bytes"
	"slices"
)

const (
	hasInclude     = "__has_include"
	hasIncludeNext = "__has_include_next"

	// maxConditionBytes cuts the text of a condition: it is for people.
	maxConditionBytes = 200

	// maxAsked bounds the names that one conditional asks for.
	maxAsked = 100
)

// A branch is one branch of a conditional. Branches of one header share their outer ones.
type branch struct {
	outer     *branch
	condition string // "#ifdef X", "#else after #ifdef X"; empty for a guard
	dead      bool   // nothing in it is ever compiled
	kernel    bool   // only compiled where __KERNEL__ or _KERNEL is defined
}

// conditions returns the conditions that lines of b stand under, outermost first.
func (b *branch) conditions() (all []string) {
	for ; b != nil; b = b.outer {
		if b.condition != "" {
			all = append(all, b.condition)
		}
	}
	slices.Reverse(all)
	return all
}

// A conditional is an #if whose #endif has not come yet.
type conditional struct {
	place   place
	opening string  // its first condition
	branch  *branch // the branch in hand
	taken   bool    // an earlier condition is the literal 1
	kernel  bool    // an earlier condition is that this is not the kernel
	last    bool    // #else has come
	asked   []string
}

// newConditional begins a conditional inside of outer.
func newConditional(outer *branch, at place, directive string, expression []byte) conditional {
	c := conditional{place: at, opening: conditionText(directive, expression)}
	c.enter(outer, c.opening, directive, expression)
	return c
}

// turn goes on to the next branch.
func (c *conditional) turn(directive string, expression []byte) {
	c.last = directive == "else"
	text := conditionText(directive, expression) + " after " + c.opening
	c.enter(c.branch.outer, text, directive, expression)
}

func (c *conditional) enter(outer *branch, text, directive string, expression []byte) {
	b := &branch{outer: outer, condition: text}
	b.dead = c.taken || string(expression) == "0"
	b.kernel = c.kernel || requiresKernel(directive, expression)
	if outer != nil {
		b.dead = b.dead || outer.dead
		b.kernel = b.kernel || outer.kernel
	}
	c.branch = b
	c.taken = c.taken || string(expression) == "1"
	c.kernel = c.kernel || excludesKernel(directive, expression)
	if len(c.asked) < maxAsked {
		c.asked = append(c.asked, askedNames(expression)...)
	}
}

// conditionText joins a directive and its expression, with single blanks.
func conditionText(directive string, expression []byte) string {
	var room [maxConditionBytes + 32]byte
	text := append(append(room[:0], '#'), directive...)
	if len(expression) > 0 {
		text = append(text, ' ')
	}
	for _, c := range expression[:min(len(expression), maxConditionBytes)] {
		if !isBlank(c) {
			text = append(text, c)
		} else if text[len(text)-1] != ' ' {
			text = append(text, ' ')
		}
	}
	if len(expression) > maxConditionBytes {
		text = append(text, "..."...)
	}
	return string(text)
}

// requiresKernel tells whether a condition holds only in the kernel: it is that a kernel's macro is defined, or has that as a
// term of a conjunction.
func requiresKernel(directive string, expression []byte) bool {
	switch directive {
	case "ifdef", "elifdef":
		return isKernel(expression)
	case "if", "elif":
		if !bytes.Contains(expression, []byte("_KERNEL")) || bytes.Contains(expression, []byte("||")) {
			return false
		}
		for term := range bytes.SplitSeq(expression, []byte("&&")) {
			if isKernel(definedMacro(term)) {
				return true
			}
		}
	}
	return false
}

// excludesKernel tells whether a condition is that no kernel's macro is defined, and nothing more.
func excludesKernel(directive string, expression []byte) bool {
	switch directive {
	case "ifndef", "elifndef":
		return isKernel(expression)
	case "if", "elif":
		return isKernel(undefinedMacro(expression))
	}
	return false
}

// isKernel knows the kernel's own macro, and that of illumos and the BSDs, which OpenZFS uses.
func isKernel(macro []byte) bool { return string(macro) == "__KERNEL__" || string(macro) == "_KERNEL" }

// definedMacro returns X of "defined(X)", "defined X" or that in parentheses; nil of anything else.
func definedMacro(expression []byte) []byte {
	operand, ok := bytes.CutPrefix(unwrap(expression), []byte("defined"))
	if !ok || len(operand) == 0 || isIdentifier(operand[0]) {
		return nil
	}
	macro, rest := cutIdentifier(unwrap(operand))
	if len(rest) > 0 {
		return nil
	}
	return macro
}

// undefinedMacro returns X of "!defined(X)" and the like, nil of anything else.
func undefinedMacro(expression []byte) []byte {
	operand, ok := bytes.CutPrefix(unwrap(expression), []byte("!"))
	if !ok {
		return nil
	}
	return definedMacro(operand)
}

// unwrap removes blanks and up to three parentheses around all of an expression.
func unwrap(s []byte) []byte {
	s = trimLeft(trimRight(s))
	for range 3 {
		if len(s) < 2 || s[0] != '(' || !nested(s) {
			break
		}
		s = trimLeft(trimRight(s[1 : len(s)-1]))
	}
	return s
}

// nested tells whether the first parenthesis of s is closed by its last character.
func nested(s []byte) bool {
	depth := 0
	for i, c := range s {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return i == len(s)-1
		}
	}
	return false
}

// askedNames returns the names of headers that an expression asks __has_include for.
func askedNames(expression []byte) (names []string) {
	for {
		i := bytes.Index(expression, []byte(hasInclude))
		if i < 0 || len(names) == maxAsked {
			return names
		}
		_, rest := cutIdentifier(expression[i:])
		expression = rest
		if operand, ok := bytes.CutPrefix(rest, []byte("(")); ok {
			if name, _, ok := headerName(trimLeft(operand)); ok {
				names = append(names, name)
			}
		}
	}
}

// headerName reads the <name> or "name" that s begins with.
func headerName(s []byte) (name string, quoted, ok bool) {
	if len(s) == 0 || s[0] != '<' && s[0] != '"' {
		return "", false, false
	}
	end := byte('>')
	if quoted = s[0] == '"'; quoted {
		end = '"'
	}
	n := bytes.IndexByte(s[1:], end)
	if n < 1 {
		return "", quoted, false
	}
	return string(s[1 : 1+n]), quoted, true
}
