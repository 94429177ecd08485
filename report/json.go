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
	text := encoded.String()
	if strings.ContainsFunc(text, isControl) {
		text = escapeControls(text)
	}
	_, err := io.WriteString(w, text)
	return err
}

// isControl tells the control characters of which encoding/json makes nothing else.
func isControl(r rune) bool { return r >= 0x7f && r < 0xa0 }

func escapeControls(text string) string {
	var escaped strings.Builder
	for _, r := range text {
		if isControl(r) {
			fmt.Fprintf(&escaped, `\u%04x`, r)
			continue
		}
		escaped.WriteRune(r)
	}
	return escaped.String()
}
