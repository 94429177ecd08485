package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var shownCommand = regexp.MustCompile("(?m)^```console\n\\$ zevents ([^\n]*)\n((?s:.*?))```$")

// The commands of the how-to print what it shows.
func TestDocument(t *testing.T) {
	t.Chdir("../..")
	shown := shownCommand.FindAllStringSubmatch(string(readFile(t, "docs/zevents.md")), -1)
	if len(shown) < 2 {
		t.Errorf("it shows %d commands", len(shown))
	}
	for _, m := range shown {
		args := strings.Fields(strings.ReplaceAll(m[1], "'", ""))
		stdout, _ := do(t, emulated(newQueue()), 0, args...)
		if diff := cmp.Diff(m[2], stdout); diff != "" {
			t.Errorf("zevents %s (-shown +printed):\n%s", m[1], diff)
		}
	}
}
