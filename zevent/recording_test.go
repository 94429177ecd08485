package zevent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
)

const recordingDir = "../testdata/openzfs-2.1.11"

func readFile(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join(recordingDir, name))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// recorded returns the events of the recording of a real module.
func recorded(tb testing.TB) (zevent.RecordingHeader, []zevent.Event) {
	tb.Helper()
	r, err := zevent.NewRecordingReader(bytes.NewReader(readFile(tb, "events.zevents")), "events.zevents")
	if err != nil {
		tb.Fatal(err)
	}
	var events []zevent.Event
	for r.Scan() {
		e, err := r.Event()
		if err != nil {
			tb.Fatal(err)
		}
		events = append(events, e)
	}
	if err := r.Err(); err != nil {
		tb.Fatal(err)
	}
	return r.Header(), events
}

func TestReadRecording(t *testing.T) {
	h, events := recorded(t)
	want := zevent.RecordingHeader{Format: "zevents/1", Module: "2.1.11-1+deb12u1", Kernel: "6.1.0-56-amd64", Endian: "little"}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if len(events) != 252 {
		t.Errorf("got %d events, want 252", len(events))
	}
	if e := events[0]; e.EID != 1 || e.Class != "sysevent.fs.zfs.pool_create" || e.Pool != "tank" {
		t.Errorf("first event: got EID %d, class %q, pool %q", e.EID, e.Class, e.Pool)
	}
}

func TestRecordingRoundTrip(t *testing.T) {
	h, events := recorded(t)
	var b bytes.Buffer
	w, err := zevent.NewRecordingWriter(&b, h)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	r, err := zevent.NewRecordingReader(&b, "copy")
	if err != nil {
		t.Fatal(err)
	}
	var again []zevent.Event
	for r.Scan() {
		e, err := r.Event()
		if err != nil {
			t.Fatal(err)
		}
		again = append(again, e)
	}
	if diff := cmp.Diff(events, again); diff != "" || r.Header() != h {
		t.Errorf("a copy differs (-want +got):\n%s", diff)
	}
}

// TestOrderOfKeys: a line is JSON, whatever wrote it.
func TestOrderOfKeys(t *testing.T) {
	lines := strings.Split(string(readFile(t, "events.zevents")), "\n")
	_, nvlist, _ := strings.Cut(lines[1], `"nvlist": "`)
	nvlist = strings.TrimSuffix(nvlist, `"}`)
	const rest = `"eid": 1, "time": [1795327935, 736000000], "dropped": 0`
	tests := []struct {
		line string
		ok   bool
	}{
		{`{` + rest + `, "nvlist": "` + nvlist + `"}`, true},
		{`{` + rest + `,"nvlist":"` + nvlist + `"}`, true},
		{`{"nvlist": "` + nvlist + `", ` + rest + `}`, true},
		{`{` + rest + `, "nvlist" : "` + nvlist + `" }`, true},
		{`{` + rest + `, "nvlist": "AAAA", "nvlist": "` + nvlist + `"}`, true},
		{`{` + rest + `, "nvlist": "` + nvlist + `", "more": {"nvlist": "AAAA"}}`, true},
		{`{` + rest + `, "nvlist": "` + strings.ReplaceAll(nvlist, "/", `\/`) + `"}`, true},
		{`{` + rest + `, "more": {"x": 1, "nvlist": "` + nvlist + `"}`, false},
		{`{` + rest + `, "a\"nvlist":"` + nvlist + `"}`, false},
		{`{` + rest + ` "nvlist": "` + nvlist + `"}`, false},
		{`{` + rest + `,, "nvlist": "` + nvlist + `"}`, false},
		{`{` + rest + `, "nvlist": "` + nvlist[1:] + `"}`, false},
		{`{` + rest + `, "nvlist": "` + nvlist + `"} x`, false},
	}
	for _, test := range tests {
		r, err := zevent.NewRecordingReader(strings.NewReader(lines[0]+"\n"+test.line), "copy")
		if err != nil {
			t.Fatal(err)
		}
		if !r.Scan() {
			t.Fatal("no line")
		}
		if e, err := r.Event(); (err == nil) != test.ok || test.ok && e.EID != 1 {
			t.Errorf("%.90s...: got EID %d, error %v, want an event %t", test.line, e.EID, err, test.ok)
		}
	}
}

func TestOneBadLineLosesNoOther(t *testing.T) {
	lines := strings.SplitAfter(string(readFile(t, "events.zevents")), "\n")[:4]
	tests := []struct{ name, bad, want string }{
		{"not JSON", "{\n", "copy:3: want an event in JSON"},
		{"no nvlist", `{"eid": 1, "time": [1, 2], "dropped": 0}` + "\n", "copy:3: decoding event of 0 bytes"},
		{"empty list in XDR", `{"eid": 1, "time": [1, 2], "dropped": 0, "nvlist": "AQEAAAAAAAAAAAABAAAAAAAAAAA="}` + "\n", "copy:3: decoding event of 20 bytes: no string named class"},
		{"nvlist of another event", strings.Replace(lines[1], `"eid": 1,`, `"eid": 9,`, 1), "copy:3: eid 9"},
		{"too long", strings.Repeat("x", 1<<20+1) + "\n", "copy:3: line is longer"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text := lines[0] + lines[1] + test.bad + "\r\n" + lines[2]
			r, err := zevent.NewRecordingReader(strings.NewReader(text), "copy")
			if err != nil {
				t.Fatal(err)
			}
			var eids []uint64
			var bad error
			for r.Scan() {
				e, err := r.Event()
				if err != nil {
					bad = err
					continue
				}
				eids = append(eids, e.EID)
			}
			if diff := cmp.Diff([]uint64{1, 2}, eids); diff != "" || r.Err() != nil {
				t.Errorf("EIDs around the bad line (-want +got):\n%s%v", diff, r.Err())
			}
			var syntax *zevent.SyntaxError
			if !errors.As(bad, &syntax) || !strings.Contains(bad.Error(), test.want) {
				t.Errorf("got error %v, want ...%s...", bad, test.want)
			}
		})
	}
}

func TestRecordingHeaderErrors(t *testing.T) {
	for _, text := range []string{"", "\n", "{}\n", `{"format": "zevents/2"}`, strings.Repeat("x", 1<<20+1)} {
		if _, err := zevent.NewRecordingReader(strings.NewReader(text), "copy"); err == nil {
			t.Errorf("header %.20q: want an error", text)
		}
	}
}

func TestRecordingReadError(t *testing.T) {
	whole := readFile(t, "events.zevents")
	broken := errors.New("broken")
	r, err := zevent.NewRecordingReader(io.MultiReader(bytes.NewReader(whole[:3000]), iotest.ErrReader(broken)), "copy")
	if err != nil {
		t.Fatal(err)
	}
	for r.Scan() {
	}
	if err := r.Err(); !errors.Is(err, broken) {
		t.Errorf("got error %v, want that of the reader", err)
	}
}

// harmless reports whether text has no control characters but the end of line.
func harmless(text []byte) bool {
	return utf8.Valid(text) && !bytes.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' })
}

func FuzzRecording(f *testing.F) {
	lines := bytes.SplitAfter(readFile(f, "events.zevents"), []byte("\n"))
	f.Add(bytes.Join(lines[:3], nil))
	f.Add(bytes.Join([][]byte{lines[0], lines[40], []byte("{\n"), lines[100]}, nil))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := zevent.NewRecordingReader(bytes.NewReader(text), "copy")
		if err != nil {
			return
		}
		want := outcome{End: "<nil>"}
		for r.Scan() {
			v, err := r.View()
			want.take(v, err)
			e, eventErr := r.Event()
			if (err == nil) != (eventErr == nil) {
				t.Errorf("view: %v, event: %v", err, eventErr)
			}
			if err != nil {
				continue
			}
			for _, version := range []string{"2.1.11", "2.4.4"} {
				format := zevent.TextFormat{Verbose: true, Escaped: true, Names: zevent.NamesOf(version)}
				text := format.AppendView(nil, v)
				if !harmless(text) {
					t.Errorf("text for a terminal: %q", text)
				}
				if diff := cmp.Diff(text, format.AppendEvent(nil, e)); diff != "" {
					t.Errorf("text (-of view +of event):\n%s", diff)
				}
			}
			line := zevent.JSONFormat{}.AppendView(nil, v)
			if !json.Valid(line) || !harmless(line) || bytes.Count(line, []byte("\n")) != 1 {
				t.Errorf("JSON: %q", line)
			}
			if err := (zevent.TextFormat{Scripted: true}).WriteEvent(io.Discard, e); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Err(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, byPart(newReader(t, bytes.NewReader(text)))); diff != "" {
			t.Errorf("(-by line +by part):\n%s", diff)
		}
	})
}
