package report

import (
	"encoding/json"

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
