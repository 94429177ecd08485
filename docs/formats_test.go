package docs_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/audit"
)

// The example is a result of this version: every field is known, and nothing is lost.
func TestFormatsShowsAResult(t *testing.T) {
	text := strings.Join(fenced(t, "formats.md", "json"), "\n")
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	var result audit.Result
	if err := decoder.Decode(&result); err != nil {
		t.Fatal(err)
	}
	if result.Format != audit.Format {
		t.Errorf("format %q, want %q", result.Format, audit.Format)
	}
	again, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the example (-shown +encoded):\n%s", diff)
	}
}
