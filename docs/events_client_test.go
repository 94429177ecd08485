package docs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The code that the page shows is that of the example, which runs.
func TestEventsClientShowsTheExample(t *testing.T) {
	shown := strings.Join(fenced(t, "events-client.md", "go"), "\n")
	example, err := os.ReadFile("../zevent/example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(example), "\n"+shown+"\n") {
		t.Error("events-client.md shows another function than zevent/example_test.go has")
	}
}

// Every kind of error is on the page, and no other.
func TestEventsClientListsErrors(t *testing.T) {
	source, err := os.ReadFile("../zevent/errors.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("events-client.md")
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\t(Err\w+) += errors\.New`).FindAllSubmatch(source, -1) {
		declared[string(m[1])] = true
		if !strings.Contains(string(page), "`"+string(m[1])+"`") {
			t.Errorf("%s is not on the page", m[1])
		}
	}
	for _, m := range regexp.MustCompile("`(Err\\w+)`").FindAllSubmatch(page, -1) {
		if !declared[string(m[1])] {
			t.Errorf("the page has %s, which errors.go does not declare", m[1])
		}
	}
}
