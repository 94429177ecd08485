package compile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// maxExcuseBytes bounds a line of an excuse file.
const maxExcuseBytes = 64 << 10

// An Excuse lets one header fail.
type Excuse struct {
	Header string `json:"header"` // slash-separated, below the directory
	Reason string `json:"reason"`
	Place  string `json:"place"` // "file:line", where it is written
}

// ReadExcuses reads a file of excuses, a line each: a header, a colon, the reason. Blank lines and those that begin with # are
// comments. The error holds all that is wrong, as "name:line:column: what", a line each; the excuses are those that could be read.
//
//	# what the C library does not have
//	sys/trace.h: for kernel code only, needs linux/tracepoint.h
func ReadExcuses(r io.Reader, name string) ([]Excuse, error) {
	var excuses []Excuse
	var problems []error
	fail := func(line, column int, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s:%d:%d: %s", name, line, column, fmt.Sprintf(format, args...)))
	}
	seen := map[string]string{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxExcuseBytes)
	n := 0
	for lines.Scan() {
		n++
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		header, reason, ok := strings.Cut(text, ":")
		header, reason = strings.TrimSpace(header), strings.TrimSpace(reason)
		column := strings.Index(lines.Text(), text) + 1
		switch {
		case !ok || reason == "":
			fail(n, column+len(header), "want \"header: reason\", got no reason; say why %.60q need not compile", header)
		case !fs.ValidPath(header) || path.Clean(header) != header:
			fail(n, column, "%.60q is not a path below the directory; write it as sys/x.h", header)
		case seen[header] != "":
			fail(n, column, "%s is excused in %s already; remove one of the two", header, seen[header])
		default:
			e := Excuse{header, reason, fmt.Sprintf("%s:%d", name, n)}
			seen[header] = e.Place
			excuses = append(excuses, e)
		}
	}
	if err := lines.Err(); err != nil {
		fail(n+1, 1, "%v", err)
	}
	return excuses, errors.Join(problems...)
}
