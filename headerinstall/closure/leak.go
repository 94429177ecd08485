package closure

import (
	"bytes"
	"iter"
)

var configPrefix = []byte("CONFIG_")

// configMacros yields the identifiers of an expression that begin with CONFIG_ and go on.
func configMacros(expression []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for {
			i := bytes.Index(expression, configPrefix)
			if i < 0 {
				return
			}
			macro, _ := cutIdentifier(expression[i:])
			inside := i > 0 && isIdentifier(expression[i-1])
			expression = expression[i+len(macro):]
			if !inside && len(macro) > len(configPrefix) && !yield(macro) {
				return
			}
		}
	}
}
