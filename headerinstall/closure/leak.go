package closure

import (
	"bytes"
	"iter"
)

var configPrefix = []byte("CONFIG_")

// A configMacro is a CONFIG_ macro in code, and the offset of the line that it is in.
type configMacro struct {
	name  string
	start int
}

// configMacros yields the identifiers of a text without comments that begin with CONFIG_ and go on; what is in a literal is none.
func configMacros(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if !bytes.Contains(text, configPrefix) {
			return
		}
		for len(text) > 0 {
			if text[0] == '"' || text[0] == '\'' {
				text = text[literalLen(text):]
				continue
			}
			word, _ := cutIdentifier(text)
			if bytes.HasPrefix(word, configPrefix) && len(word) > len(configPrefix) && !yield(word) {
				return
			}
			text = text[max(1, len(word)):]
		}
	}
}

// literalLen is the length of the literal that text begins with; one that is not closed takes all of it.
func literalLen(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case text[0]:
			return i + 1
		case '\\':
			i++
		}
	}
	return len(text)
}
