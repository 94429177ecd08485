package guest

import (
	"os"
	"regexp"
	"strings"
)

// panicExcerptLines is about a screen: the reason, the registers, the calls.
const panicExcerptLines = 24

// These are compiled only when a guest has failed.
const (
	// troubleStart matches the first line of a kernel's report of a fatal fault, anchored
	// at the time stamp so that a message which only speaks of bugs does not match.
	troubleStart = `^(<\d+>)?\[ *\d+\.\d+\](\[ *[CT]\d+\])? (BUG: |kernel BUG at |Oops: |general protection fault|VERIFY|PANIC at |Kernel panic - not syncing: )`
	panicReason  = `Kernel panic - not syncing: (.*)`
)

// kernelPanic is how a kernel told of its end.
type kernelPanic struct {
	reason  string   // after "Kernel panic - not syncing: ", empty if there was no panic
	console []string // from the first sign of trouble on
}

// findPanic looks for a panic in a console log.
func findPanic(log string) kernelPanic {
	data, err := os.ReadFile(log)
	if err != nil {
		return kernelPanic{}
	}
	trouble, reason := regexp.MustCompile(troubleStart), regexp.MustCompile(panicReason)
	var p kernelPanic
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		if (len(p.console) > 0 || trouble.MatchString(line)) && len(p.console) < panicExcerptLines {
			p.console = append(p.console, line)
		}
		if m := reason.FindStringSubmatch(line); m != nil && p.reason == "" {
			p.reason = m[1]
		}
	}
	return p
}
