package measure

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestPrintSample(t *testing.T) {
	var stdout, stderr strings.Builder
	if err := printSample([]string{"sh", "-c", "echo lost"}, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	var s Sample
	if err := json.Unmarshal([]byte(stdout.String()), &s); err != nil {
		t.Fatal(err)
	}
	if s.Wall <= 0 || s.Peak <= 0 {
		t.Errorf("got %+v", s)
	}
	if err := printSample([]string{"sh", "-c", "echo why >&2; exit 3"}, &stdout, &stderr); err == nil || stderr.String() != "why\n" {
		t.Errorf("a program that fails ends with %v, and says %q", err, stderr.String())
	}
}
