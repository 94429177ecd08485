package observe

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
	"github.com/kmodaudit/kmodaudit/stackcheck/internal/lines"
)

// A Trace is one deepest stack.
type Trace struct {
	Title   string  `json:"title,omitempty"` // of a file with several: the comment before it
	Entries []Entry `json:"entries"`         // the innermost first; none when nothing was recorded
}

// Bytes returns the depth of the stack.
func (t Trace) Bytes() int {
	if len(t.Entries) == 0 {
		return 0
	}
	return t.Entries[0].Depth
}

// An Entry is a return address on the stack. An address for which the kernel knows no symbol is its Function, and has no Length.
type Entry struct {
	Depth    int    `json:"depth_bytes"` // from the end of the stack
	Size     int    `json:"bytes"`       // Depth less that of the next entry
	Function string `json:"function"`    // symbol
	Offset   uint64 `json:"offset"`      // of the return address in the function
	Length   uint64 `json:"length"`      // of the function
	Module   string `json:"module,omitempty"`
}

// ErrDisabled is the error of the text that the tracer prints as long as it is off and has recorded nothing.
var ErrDisabled = errors.New("the stack tracer is off and has recorded nothing; turn it on (sysctl kernel.stack_tracer_enabled=1) and let the module work")

// ErrNoTrace is the error of a file in which there is none.
var ErrNoTrace = errors.New(`no stack trace; want what the kernel prints as /sys/kernel/tracing/stack_trace, which begins "Depth Size Location"`)

// Bounds. The kernel keeps no more than 500 entries, and 16 KiB have no room for many more than 2,000 return addresses.
const (
	maxEntries   = 2048
	maxTraces    = 100
	maxStackSize = 1 << 20
	maxLineBytes = 2048 // a symbol has no more than 511 (KSYM_NAME_LEN)
)

var (
	// "        Depth    Size   Location    (30 entries)", since Linux 2.6.29.
	heading = lazily(`^\s*Depth\s+Size\s+Location\s+\((\d{1,9}) entries\)\s*$`)
	rule    = lazily(`^[\s-]+$`)
	// "  4)     4824     144   spl_kmem_cache_alloc+0xa4/0x5c0 [spl]": %pS. A module may have its build ID beside it.
	entryLine = lazily(`^\s*(\d{1,9})\)\s+(-?\d{1,9})\s+(-?\d{1,9})\s+(\S.*?)\s*$`)
	symbol    = lazily(`^(\S+)\+0x([0-9a-f]{1,16})/0x([0-9a-f]{1,16})(?: \[([^\]\s]+)(?: [0-9a-f]+)?\])?$`)
)

// lazily returns a regular expression that is compiled when it is first used: most runs of a program that links this package
// read no trace.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// ReadTrace reads a text with one trace, see ReadTraces.
func ReadTrace(r io.Reader, name string) (Trace, error) {
	traces, err := ReadTraces(r, name)
	if len(traces) == 0 {
		return Trace{}, err
	}
	if len(traces) > 1 {
		err = errors.Join(err, fmt.Errorf("%s: %d traces, want one", name, len(traces)))
	}
	return traces[0], err
}

// ReadTraces reads what the kernel prints as stack_trace, or several of them one after the other: a comment before a trace ("# ")
// is its title. The name is what positions of errors begin with. What could be read is returned also when there is an error:
// the join of *frame.SyntaxErrors and of the failure that ended reading, or ErrDisabled, or ErrNoTrace.
func ReadTraces(r io.Reader, name string) ([]Trace, error) {
	reader := traceReader{name: name}
	input := lines.NewScanner(r)
	for input.Scan() && !reader.full() {
		reader.line(input)
	}
	reader.endTrace()
	err := errors.Join(append(reader.bad, input.Err())...)
	switch {
	case reader.full():
		return reader.traces, errors.Join(err, fmt.Errorf("%s: %w", name, frame.ErrTooManySyntaxErrors))
	case err != nil || len(reader.traces) > 0:
		return reader.traces, err
	case reader.disabled:
		return nil, fmt.Errorf("%s: %w", name, ErrDisabled)
	}
	return nil, fmt.Errorf("%s: %w", name, ErrNoTrace)
}

type traceReader struct {
	name     string
	number   int // of the line
	title    string
	disabled bool
	traces   []Trace
	open     bool // the last trace goes on
	want     int  // entries of it
	at       int  // line of its heading
	bad      []error
}

func (t *traceReader) full() bool {
	return len(t.bad) >= frame.MaxSyntaxErrors || len(t.traces) > maxTraces
}

func (t *traceReader) fail(line int, format string, arguments ...any) {
	t.bad = append(t.bad, &frame.SyntaxError{Path: t.name, Line: line, Column: 1, What: fmt.Sprintf(format, arguments...)})
}

func (t *traceReader) line(input *lines.Scanner) {
	t.number = input.Number()
	text := string(input.Text())
	switch fault := input.Fault(); {
	case len(text) > maxLineBytes:
		t.fail(t.number, "a line of more than %d bytes; want what the kernel prints as stack_trace", maxLineBytes)
	case strings.HasPrefix(text, "#"):
		t.comment(strings.TrimSpace(text[1:]))
	case heading().MatchString(text):
		t.heading(text)
	case strings.TrimSpace(text) == "" || rule().MatchString(text):
	default:
		if fault == lines.Unterminated {
			t.fail(t.number, "%s; record the trace again", fault)
		}
		t.entry(text)
	}
}

// comment takes a title, or what print_disabled of trace_stack.c prints.
func (t *traceReader) comment(text string) {
	if text == "Stack tracer disabled" {
		t.disabled = true
		if n := len(t.traces) - 1; n >= 0 && len(t.traces[n].Entries) == 0 { // whose heading stands before it
			t.traces, t.open = t.traces[:n], false
		}
		return
	}
	t.endTrace()
	t.title = text
}

func (t *traceReader) heading(text string) {
	t.endTrace()
	t.want, _ = strconv.Atoi(heading().FindStringSubmatch(text)[1]) // nine digits
	t.traces = append(t.traces, Trace{Title: t.title, Entries: []Entry{}})
	t.open, t.at, t.title = true, t.number, ""
}

// endTrace checks the trace that is behind.
func (t *traceReader) endTrace() {
	if !t.open {
		return
	}
	t.open = false
	entries := t.traces[len(t.traces)-1].Entries
	if len(entries) != t.want {
		t.fail(t.at, "%d entries announced, %d read; the trace is cut off or damaged", t.want, len(entries))
		return
	}
	for i, e := range entries {
		below := 0
		if i+1 < len(entries) {
			below = entries[i+1].Depth
		}
		if e.Depth-below != e.Size {
			t.fail(t.at, "entry %d: %d bytes from depth %d to %d; the trace is damaged", i, e.Size, e.Depth, below)
			return
		}
	}
}

func (t *traceReader) entry(text string) {
	fields := entryLine().FindStringSubmatch(text)
	if fields == nil || !t.open {
		t.fail(t.number, `want "Depth Size Location" and then lines of "INDEX) DEPTH SIZE FUNCTION+0xOFFSET/0xLENGTH [MODULE]", got %.80q`, text)
		return
	}
	trace := &t.traces[len(t.traces)-1]
	index, _ := strconv.Atoi(fields[1])
	depth, _ := strconv.Atoi(fields[2])
	size, _ := strconv.Atoi(fields[3])
	switch {
	case index != len(trace.Entries):
		t.fail(t.number, "entry %d, want %d; the trace is damaged", index, len(trace.Entries))
		return
	case index >= maxEntries:
		t.fail(t.number, "more than %d entries; no stack has so many", maxEntries)
		return
	case depth < 0 || depth > maxStackSize || size < 0 || size > maxStackSize:
		t.fail(t.number, "a depth of %d and a size of %d bytes; want from 0 to %d", depth, size, maxStackSize)
		return
	}
	trace.Entries = append(trace.Entries, locate(Entry{Depth: depth, Size: size}, fields[4]))
}

// locate takes a location as printk's %pS writes it, which is a bare address where there is no symbol.
func locate(e Entry, location string) Entry {
	fields := symbol().FindStringSubmatch(location)
	if fields == nil {
		e.Function = location
		return e
	}
	e.Function, e.Module = fields[1], fields[4]
	e.Offset, _ = strconv.ParseUint(fields[2], 16, 64)
	e.Length, _ = strconv.ParseUint(fields[3], 16, 64)
	return e
}
