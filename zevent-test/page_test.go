package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent-test/suite"
)

func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/zevent-test.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPageShowsWhatIsPrinted runs the example of the page.
func TestPageShowsWhatIsPrinted(t *testing.T) {
	_, example, _ := strings.Cut(page(t), "```console\n$ zevent-test ")
	example, _, _ = strings.Cut(example, "```")
	command, want, _ := strings.Cut(example, "\n")
	var stdout, stderr strings.Builder
	if got := run(t.Context(), strings.Fields(strings.ReplaceAll(command, "'", "")), &stdout, &stderr); got != exitClean {
		t.Errorf("%s: got exit status %d: %s", command, got, &stderr)
	}
	if diff := cmp.Diff(want, stdout.String()); diff != "" {
		t.Errorf("%s (-page +got):\n%s", command, diff)
	}
}

// TestPageListsEveryCheck wants the checks of the table in the order in which they run, and those
// that the emulator skips marked.
func TestPageListsEveryCheck(t *testing.T) {
	type row struct {
		Name     string
		Emulated bool
	}
	var listed, want []row
	for _, m := range regexp.MustCompile("(?m)^\\| (`[^|]*`) \\| (yes|no) \\|").FindAllStringSubmatch(page(t), -1) {
		for _, name := range strings.Split(m[1], ", ") {
			listed = append(listed, row{strings.Trim(name, "`"), m[2] == "yes"})
		}
	}
	for r := range suite.Run(t.Context(), suite.NewEmulatedTarget(nil, ""), suite.Checks()) {
		want = append(want, row{r.Name, r.Status == suite.Pass})
	}
	if diff := cmp.Diff(want, listed); diff != "" {
		t.Errorf("table (-suite +page):\n%s", diff)
	}
}
