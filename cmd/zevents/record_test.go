package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// recordedText is what zevents prints of a recording.
func recordedText(t *testing.T, name string) string {
	t.Helper()
	text, _ := do(t, emulated(newQueue()), 0, "-H", "--from", name)
	return text
}

func TestRecordingPrintsAsTheQueue(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.zevents")
	s := emulated(played(t))
	if stdout, stderr := do(t, s, 0, "record", "-o", name); stdout != "recorded 252 events\n" || stderr != "" {
		t.Errorf("printed %q and said %q", stdout, stderr)
	}
	if stdout, stderr := do(t, s, 0, "record", "-o", name); stdout != "recorded 0 events\n" || stderr != "" {
		t.Errorf("again: printed %q and said %q", stdout, stderr)
	}
	if diff := cmp.Diff(string(readFile(t, recordedDir+"zpool-events-H.txt")), recordedText(t, name)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Each case leaves a recording of events 1 and 2, does something to it or the queue, and records again.
func TestResume(t *testing.T) {
	tests := []struct {
		name     string
		between  func(t *testing.T, file string, s *system)
		posted   string // the class of an event after that
		exit     int
		stdout   string
		said     string // on standard error
		eids     []string
		wantSame bool // the recording is left as it was
	}{
		{
			name:    "more events",
			between: func(*testing.T, string, *system) {},
			stdout:  "recorded 1 events\n",
			eids:    []string{"1", "2", "3"},
		},
		{
			name:    "torn line",
			between: func(t *testing.T, file string, _ *system) { appendTo(t, file, `{"eid":3,"time":[`) },
			stdout:  "recorded 1 events\n",
			said:    "removed the last 17 bytes, a line that was not finished",
			eids:    []string{"1", "2", "3"},
		},
		{
			name: "torn within the last event",
			between: func(t *testing.T, file string, _ *system) {
				text := readFile(t, file)
				write(t, file, string(text[:len(text)-1]))
			},
			stdout: "recorded 2 events\n",
			said:   "a line that was not finished",
			eids:   []string{"1", "2", "3"},
		},
		{
			name:    "torn header",
			between: func(t *testing.T, file string, _ *system) { write(t, file, `{"format":"zev`) },
			stdout:  "recorded 3 events\n",
			said:    "removed the last 14 bytes",
			eids:    []string{"1", "2", "3"},
		},
		{
			name:    "empty file",
			between: func(t *testing.T, file string, _ *system) { write(t, file, "") },
			stdout:  "recorded 3 events\n",
			eids:    []string{"1", "2", "3"},
		},
		{
			name:    "bad line",
			between: func(t *testing.T, file string, _ *system) { appendTo(t, file, "{}\n") },
			stdout:  "recorded 1 events\n",
			said:    "x.zevents: at byte 525: decoding event of 0 bytes",
			eids:    []string{"1", "2", "3"},
		},
		{
			name: "module loaded anew",
			between: func(t *testing.T, _ string, s *system) {
				time.Sleep(time.Minute)
				q := newQueue()
				post(t, q, "one")
				post(t, q, "two")
				*s = emulated(q)
			},
			stdout: "recorded 2 events\n",
			said:   "EID 2 of 2000-01-01T00:00:00Z, is not queued any more: the module was loaded anew, its oldest queued event is EID 1 of 2000-01-01T00:01:00Z",
			eids:   []string{"1", "2", "1", "2"},
		},
		{
			name:    "evicted",
			between: func(t *testing.T, _ string, s *system) { do(t, *s, 0, "-c") },
			posted:  "four",
			stdout:  "recorded 1 events\n",
			said:    "EIDs 3 to 3, 1 events, are missing: evicted or cleared before they were recorded",
			eids:    []string{"1", "2", "4"},
		},
		{
			name:    "cleared",
			between: func(t *testing.T, _ string, s *system) { do(t, *s, 0, "-c") },
			stdout:  "recorded 0 events\n",
			said:    "the queue is empty",
			eids:    []string{"1", "2"},
		},
		{
			name: "another release",
			between: func(_ *testing.T, _ string, s *system) {
				s.module = func() (string, error) { return "2.3.9-1", nil }
			},
			exit: 2, said: `of OpenZFS "2.1.11-1+deb12u1" on Linux "6.1.0-56-amd64", not of the OpenZFS "2.3.9-1"`, wantSame: true,
		},
		{
			name:    "no recording",
			between: func(t *testing.T, file string, _ *system) { write(t, file, "root:x:0:0\nno end") },
			exit:    2, said: `want a header with "format": "zevents/1"`, wantSame: true,
		},
		{
			name:    "no recording, no line",
			between: func(t *testing.T, file string, _ *system) { write(t, file, strings.Repeat("x", 1<<20)) },
			exit:    2, said: "not a recording of this module", wantSame: true,
		},
		{
			name: "not a file",
			between: func(t *testing.T, file string, _ *system) {
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(os.DevNull, file); err != nil {
					t.Fatal(err)
				}
			},
			exit: 2, said: "not a regular file", wantSame: true,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				file := filepath.Join(dir, "x.zevents")
				q := newQueue()
				s := emulated(q)
				post(t, q, "one")
				post(t, q, "two")
				do(t, s, 0, "record", "-o", file)
				if test.name != "cleared" {
					post(t, q, "three")
				}
				test.between(t, file, &s)
				if test.posted != "" {
					post(t, q, test.posted)
				}
				before := readFile(t, file)
				stdout, stderr := do(t, s, test.exit, "record", "-o", file)
				if stdout != test.stdout || !strings.Contains(stderr, test.said) || (stderr == "") != (test.said == "") {
					t.Errorf("printed %q, want %q; said\n%s", stdout, test.stdout, stderr)
				}
				after := readFile(t, file)
				if test.wantSame {
					if diff := cmp.Diff(before, after); diff != "" {
						t.Errorf("the file was changed:\n%s", diff)
					}
					return
				}
				if diff := cmp.Diff(test.eids, eids(string(after))); diff != "" {
					t.Errorf("EIDs recorded (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// What the module counted while a recorder looks for its place goes with the next event.
func TestResumeKeepsDropped(t *testing.T) {
	q := newQueue()
	post(t, q, "one")
	post(t, q, "two")
	device := q.Open()
	last, err := zevent.NewClient(device).Next()
	if err != nil {
		t.Fatal(err)
	}
	last.EID = 7 // of another load
	if _, err := device.Clear(); err != nil {
		t.Fatal(err)
	}
	post(t, q, "three")
	var said strings.Builder
	file, err := os.Create(filepath.Join(t.TempDir(), "x.zevents"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r := &recorder{file: file, stderr: &said}
	if err := r.resume(device, last); err != nil || r.dropped != 1 || !strings.Contains(said.String(), "its oldest queued event is EID 3") {
		t.Errorf("got dropped %d, error %v, said %q; want 1", r.dropped, err, &said)
	}
}

func appendTo(t *testing.T, name, text string) {
	t.Helper()
	write(t, name, string(readFile(t, name))+text)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// eids are those of the lines of a recording.
func eids(text string) []string {
	var found []string
	for line := range strings.Lines(text) {
		if _, rest, ok := strings.Cut(line, `{"eid":`); ok {
			eid, _, _ := strings.Cut(rest, ",")
			found = append(found, eid)
		}
	}
	return found
}
