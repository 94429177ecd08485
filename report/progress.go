package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kmodaudit/kmodaudit/ascii"
	"github.com/kmodaudit/kmodaudit/progress"
)

// quietInterval is how long a log that is no terminal stays without a line while a step runs.
const quietInterval = 15 * time.Second

// logColumns is where a line of a log is cut.
const logColumns = 160

// Progress shows the steps of a run, a line each. On a terminal the running step's line
// is drawn anew in place; elsewhere, where that would fill a log, a step that
// runs long gets a line now and then.
type Progress struct {
	mu       sync.Mutex
	w        io.Writer
	columns  int // of the terminal, 0 for no terminal
	lastLine time.Time
	running  []string // steps, outermost first
	begun    bool     // the innermost one has had a line
}

// NewProgress returns a Progress that writes to w, a terminal of that many columns, or 0 for no terminal.
func NewProgress(w io.Writer, columns int) *Progress {
	return &Progress{w: w, columns: columns}
}

// Show is a progress.Func.
func (p *Progress) Show(e progress.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.State {
	case progress.Started:
		p.begin()
		p.running = append(p.running, e.Step)
		p.begun = false
	case progress.Running:
		p.begin()
		p.showRunning(e)
	case progress.Finished:
		p.end(e, "done in "+seconds(e.Elapsed))
	case progress.Cached:
		p.end(e, "kept from an earlier run")
	case progress.Failed:
		p.end(e, "failed after "+seconds(e.Elapsed))
	}
}

// begin gives the innermost step its first line, unless it has it. A step that ends
// before anything else is told has only one line.
func (p *Progress) begin() {
	if !p.begun && len(p.running) > 0 {
		p.begun = true
		p.line(p.running[len(p.running)-1])
	}
}

// showRunning shows the innermost of the running steps.
func (p *Progress) showRunning(e progress.Event) {
	if len(p.running) == 0 || p.running[len(p.running)-1] != e.Step {
		return
	}
	if p.columns > 0 {
		fmt.Fprintf(p.w, "\r\x1b[K%s", clip(runningLine(e), p.columns-1))
	} else if time.Since(p.lastLine) >= quietInterval {
		p.line(clip(runningLine(e), logColumns))
	}
}

func (p *Progress) end(e progress.Event, how string) {
	p.running = slices.DeleteFunc(p.running, func(step string) bool { return step == e.Step })
	p.begun = true // of those that are left
	p.line(e.Step + ": " + how)
}

// line writes a line that stays.
func (p *Progress) line(text string) {
	p.lastLine = time.Now()
	if p.columns > 0 {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	fmt.Fprintln(p.w, text)
}

func runningLine(e progress.Event) string {
	var b strings.Builder
	b.WriteString(e.Step)
	if e.Total > 0 {
		fmt.Fprintf(&b, ": %d of about %d %s", e.Done, e.Total, e.Unit)
	} else if e.Done > 0 {
		fmt.Fprintf(&b, ": %d %s", e.Done, e.Unit)
	}
	fmt.Fprintf(&b, ", %s", seconds(e.Elapsed))
	if e.Detail != "" {
		b.WriteString(": " + printable(e.Detail))
	}
	return b.String()
}

func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func clip(s string, columns int) string {
	if runes := []rune(s); len(runes) > columns {
		return string(runes[:max(0, columns)])
	}
	return s
}

// printable replaces what could steer a terminal.
func printable(s string) string {
	if ascii.IsPrintString(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '.'
		}
		return r
	}, s)
}
