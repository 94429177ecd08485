package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/google/renameio/v2"
)

// WriteJSON writes a result to a file, wholly or not at all.
func WriteJSON(file string, result any) error {
	text, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(file, append(text, '\n'), 0o644)
}

// writeJSON writes a value. The control characters that encoding/json leaves as they are become
// escape sequences of JSON, so that the text can be shown on a terminal.
func writeJSON(w io.Writer, value any) error {
	var encoded strings.Builder
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	var text strings.Builder
	for _, r := range encoded.String() {
		if r >= 0x7f && r < 0xa0 {
			fmt.Fprintf(&text, `\u%04x`, r)
			continue
		}
		text.WriteRune(r)
	}
	_, err := io.WriteString(w, text.String())
	return err
}
