package suite

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// written returns a report of a run on the emulator, and its lines.
func written(tb testing.TB) (Report, string) {
	tb.Helper()
	report := Collect(tb.Context(), NewEmulatedTarget(nil, ""))
	if report.Err != nil {
		tb.Fatal(report.Err)
	}
	var b bytes.Buffer
	w := NewLineWriter(&b)
	if err := w.Start(report.Target, len(report.Results)); err != nil {
		tb.Fatal(err)
	}
	for _, r := range report.Results {
		if err := w.Result(r); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.End(report.Summary()); err != nil {
		tb.Fatal(err)
	}
	return report, b.String()
}

func TestReportComesBack(t *testing.T) {
	want, lines := written(t)
	got, err := ReadReport(strings.NewReader(lines), "report")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Check{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("report (-written +read):\n%s", diff)
	}
}

func TestReadReportErrors(t *testing.T) {
	_, lines := written(t)
	last := strings.LastIndex(strings.TrimSuffix(lines, "\n"), "\n") + 1
	for _, test := range []struct{ name, lines, want string }{
		{"empty", "", "report:1: the report ends before its summary"},
		{"cut off", lines[:last], "before its summary"},
		{"cut in a line", lines[:last+5], "unexpected end of JSON"},
		{"more", lines + lines[last:], "after the summary"},
		{"no JSON", "zevent-test: cannot\n", "report:1: invalid character"},
		{"unknown line", `{"type":"rumour"}`, `unknown type "rumour"`},
		{"unknown status", `{"type":"result","name":"open","status":"perhaps"}`, `unknown status "perhaps"`},
		{"event without check", `{"type":"event","check":"open","eid":7}`, "event 7 is of check"},
		{"damaged event", `{"type":"result","name":"a","status":"pass"}` + "\n" + `{"type":"event","check":"a","eid":7,"nvlist":"AAEAAA=="}`, "report:2: event 7"},
		{"other count", `{"type":"summary","pass":1,"fail":0,"skip":0}`, "the summary says 1 passed"},
	} {
		if _, err := ReadReport(strings.NewReader(test.lines), "report"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}

func FuzzReadReport(f *testing.F) {
	// Few lines, since the fuzzer minimises long ones for minutes: a check, its first event.
	_, lines := written(f)
	_, event, _ := strings.Cut(lines, `{"type":"event"`)
	event, _, _ = strings.Cut(event, "\n")
	f.Add([]byte(`{"type":"result","name":"raise-and-read","status":"pass"}` + "\n" + `{"type":"event"` + event + "\n" + `{"type":"summary","pass":1}` + "\n"))
	f.Add([]byte(`{"type":"summary","pass":0,"fail":0,"skip":0}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		report, err := ReadReport(bytes.NewReader(text), "report")
		if err != nil {
			return
		}
		for _, r := range report.Results {
			if r.Status != Pass && r.Status != Fail && r.Status != Skip {
				t.Errorf("status %q was accepted", r.Status)
			}
		}
	})
}
