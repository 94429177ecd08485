package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
)

// The README shows what the audit of the bundled data prints.
func TestReadmeShowsTheAudit(t *testing.T) {
	block := fenced(t, "../README.md", "console")
	if block[0] != "$ go tool mage audit" {
		t.Fatalf("the first example is %q", block[0])
	}
	repository, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, name := range []string{"testdata", "kmodaudit.toml"} {
		if err := os.Symlink(filepath.Join(repository, name), name); err != nil {
			t.Fatal(err)
		}
	}
	var got strings.Builder
	if err := cli.Audit(t.Context(), &got, cli.AuditFlags{}); err != nil {
		t.Errorf("the audit ended with %v", err)
	}
	if diff := cmp.Diff(strings.Join(block[1:], "\n")+"\n", got.String()); diff != "" {
		t.Errorf("README (-want +got):\n%s", diff)
	}
}

var (
	mageCall = regexp.MustCompile(`go tool mage ([a-zA-Z:]+)`)
	target   = regexp.MustCompile(`(?m)^func (?:\(([A-Z][a-zA-Z]*)\) )?([A-Z][a-zA-Z]*)\(`)
)

// A target that a document names exists.
func TestDocumentsNameTargets(t *testing.T) {
	targets := map[string]bool{}
	for _, file := range []string{"../magefile.go", "../targets/targets.go", "../targets/headers.go", "../targets/endtoend.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range target.FindAllStringSubmatch(string(text), -1) {
			targets[strings.ToLower(strings.TrimPrefix(m[1]+":"+m[2], ":"))] = true
		}
	}
	for _, document := range []string{"../README.md", "architecture.md", "headers.md", "../.ci/run"} {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mageCall.FindAllStringSubmatch(string(text), -1) {
			if !targets[strings.ToLower(m[1])] {
				t.Errorf("%s: there is no target %s", document, m[1])
			}
		}
	}
}
