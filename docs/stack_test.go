package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/stackcheck"
)

// The configuration that the how-to shows is one that the gate takes, and has every key.
func TestStackShowsAConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), audit.ConfigName)
	text := strings.Join(fenced(t, "stack.md", "toml"), "\n")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	config, err := audit.ReadConfig(file, true)
	if err != nil {
		t.Fatal(err)
	}
	l := config.StackLimits()
	if err := l.Validate(); err != nil {
		t.Error(err)
	}
	if len(l.Particular) != 1 || len(l.Waivers) != 3 || len(l.Entries) != 2 || len(l.Cycles) != 1 || len(l.Externals) != 1 || len(l.Beside.Kernel) != 1 || l.Beside.ExternalBytes != 400 || l.PathBytes != 12288 || l.Baseline.FrameGrowthBytes != 64 {
		t.Errorf("limits %+v", l)
	}
}

// Every kind of finding is in the table.
func TestStackTellsOfEachFinding(t *testing.T) {
	text, err := os.ReadFile("stack.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range stackcheck.FindingKinds {
		if !strings.Contains(string(text), "| `"+string(kind.Kind)+"` |") {
			t.Errorf("%s is not in the table", kind.Kind)
		}
	}
}

// The snapshot that the formats show is one.
func TestFormatsShowsASnapshot(t *testing.T) {
	text, err := os.ReadFile("formats.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n## Snapshots\n")
	_, rest, _ = strings.Cut(rest, "\n```json\n")
	shown, _, _ := strings.Cut(rest, "\n```")
	b, err := stackcheck.ReadSnapshot(strings.NewReader(shown))
	if err != nil || len(b.Functions) != 1 || len(b.Graph.Nodes) != 2 {
		t.Fatalf("%d frames; error %v", len(b.Functions), err)
	}
	var again strings.Builder
	if err := stackcheck.WriteSnapshot(&again, b); err != nil || again.String() != shown+"\n" {
		t.Errorf("error %v; written anew it is\n%s", err, again.String())
	}
}
