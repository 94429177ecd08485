package suite

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// A report as JSON lines: one line of type "target", for each check one of type
// "result" and after it one of type "event" for each event that it read, at the end one of
// type "summary". A report without a summary is that of a run that was cut off.

type targetLine struct {
	Type   string `json:"type"`
	Target string `json:"target"`
	Checks int    `json:"checks"`
}

type resultLine struct {
	Type    string  `json:"type"`
	Name    string  `json:"name"`
	Status  Status  `json:"status"`
	Detail  string  `json:"detail,omitempty"`
	Asserts string  `json:"asserts"`
	Source  string  `json:"source"`
	Seconds float64 `json:"seconds"` // that the check took
}

// eventLine has the fields of a line of a recording, and what they decode to.
type eventLine struct {
	Type    string   `json:"type"`
	Check   string   `json:"check"`
	EID     uint64   `json:"eid"`
	Time    [2]int64 `json:"time"` // seconds, nanoseconds
	Dropped uint64   `json:"dropped"`
	Nvlist  []byte   `json:"nvlist"`
	Class   string   `json:"class"`
	Pool    string   `json:"pool"`
	Text    string   `json:"text"` // as zpool events -v prints it
}

type summaryLine struct {
	Type string `json:"type"`
	Pass int    `json:"pass"`
	Fail int    `json:"fail"`
	Skip int    `json:"skip"`
}

// LineWriter writes a report as JSON lines while it comes about, those of a check at once.
type LineWriter struct {
	lines *json.Encoder
	out   *bufio.Writer
}

// NewLineWriter returns a LineWriter that writes to w.
func NewLineWriter(w io.Writer) *LineWriter {
	out := bufio.NewWriterSize(w, 64<<10)
	return &LineWriter{json.NewEncoder(out), out}
}

// Start writes what is checked, and by how many checks.
func (w *LineWriter) Start(target string, checks int) error {
	return errors.Join(w.lines.Encode(targetLine{"target", target, checks}), w.out.Flush())
}

// Result writes a result and its events.
func (w *LineWriter) Result(r Result) error { return errors.Join(w.result(r), w.out.Flush()) }

func (w *LineWriter) result(r Result) error {
	if err := w.lines.Encode(resultLine{"result", r.Name, r.Status, r.Detail, r.Asserts, r.Source, r.Elapsed.Seconds()}); err != nil {
		return err
	}
	for _, e := range r.Events {
		var text strings.Builder
		if err := (zevent.TextFormat{Verbose: true}).WriteEvent(&text, e); err != nil {
			return err
		}
		err := w.lines.Encode(eventLine{
			"event", r.Name, e.EID, [2]int64{e.Time.Unix(), int64(e.Time.Nanosecond())}, e.Dropped, e.Raw,
			e.Class, e.Pool, text.String(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// End writes the summary.
func (w *LineWriter) End(s Summary) error {
	return errors.Join(w.lines.Encode(summaryLine{"summary", s.Pass, s.Fail, s.Skip}), w.out.Flush())
}

// maxReportLineBytes bounds a line: an event of the longest nvlist and its text.
const maxReportLineBytes = 1 << 20

var (
	errCutOff   = errors.New("the report ends before its summary: the run was cut off")
	errAfterEnd = errors.New("a line after the summary")
)

// ReadReport reads a report that a LineWriter wrote. Name stands in errors, as "name:line:".
func ReadReport(r io.Reader, name string) (Report, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxReportLineBytes)
	var report Report
	ended := false
	number := 0
	for lines.Scan() {
		number++
		err := errAfterEnd
		if !ended {
			ended, err = report.take(lines.Bytes())
		}
		if err != nil {
			return report, fmt.Errorf("reading the report of zevent-test: %s:%d: %w", name, number, err)
		}
	}
	err := lines.Err()
	if err == nil && !ended {
		err = errCutOff
	}
	if err != nil {
		return report, fmt.Errorf("reading the report of zevent-test: %s:%d: %w", name, number+1, err)
	}
	return report, nil
}

// take adds a line, and says whether it is the last.
func (r *Report) take(text []byte) (last bool, err error) {
	var kind struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(text, &kind); err != nil {
		return false, err
	}
	switch kind.Type {
	case "target":
		var l targetLine
		err := json.Unmarshal(text, &l)
		r.Target = l.Target
		return false, err
	case "result":
		return false, r.takeResult(text)
	case "event":
		return false, r.takeEvent(text)
	case "summary":
		return true, r.takeSummary(text)
	}
	return false, fmt.Errorf("unknown type %q", kind.Type)
}

func (r *Report) takeResult(text []byte) error {
	var l resultLine
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	if l.Status != Pass && l.Status != Fail && l.Status != Skip {
		return fmt.Errorf("check %q has the unknown status %q", l.Name, l.Status)
	}
	r.Results = append(r.Results, Result{
		Check:  Check{Name: l.Name, Asserts: l.Asserts, Source: l.Source},
		Status: l.Status, Detail: l.Detail,
		Elapsed: time.Duration(math.Round(l.Seconds * float64(time.Second))),
	})
	return nil
}

func (r *Report) takeEvent(text []byte) error {
	var l eventLine
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	if len(r.Results) == 0 || r.Results[len(r.Results)-1].Name != l.Check {
		return fmt.Errorf("event %d is of check %q, whose result is not before it", l.EID, l.Check)
	}
	event, err := zevent.Decode(l.Nvlist, l.Dropped)
	if err != nil {
		return fmt.Errorf("event %d: %w", l.EID, err)
	}
	last := &r.Results[len(r.Results)-1]
	last.Events = append(last.Events, event)
	return nil
}

func (r *Report) takeSummary(text []byte) error {
	var l summaryLine
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	if want := (Summary{l.Pass, l.Fail, l.Skip}); r.Summary() != want {
		return fmt.Errorf("the summary says %v, the results are %v", want, r.Summary())
	}
	return nil
}
