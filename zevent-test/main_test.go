package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kmodaudit/kmodaudit/zevent"
)

const recording = "../testdata/openzfs-2.1.11/events.zevents"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"zevent-test": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			text, err := os.ReadFile(recording)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "events.zevents"), text, 0o600)
		},
	})
}

// writeRecording writes the first events of the real recording as change
// leaves them.
func writeRecording(t *testing.T, change func([]zevent.Event)) string {
	t.Helper()
	f, err := os.Open(recording)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := zevent.NewRecordingReader(f, recording)
	if err != nil {
		t.Fatal(err)
	}
	var events []zevent.Event
	for len(events) < 12 && r.Scan() {
		e, err := r.Event()
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	change(events)
	var b bytes.Buffer
	w, err := zevent.NewRecordingWriter(&b, r.Header())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "changed.zevents")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestExitStatus(t *testing.T) {
	reversed := writeRecording(t, slices.Reverse[[]zevent.Event])
	notDevice := filepath.Join(t.TempDir(), "zfs")
	tests := []struct {
		args []string
		want int
	}{
		{[]string{"-h"}, 0},
		{[]string{"--list"}, 0},
		{[]string{"--emulate"}, 0},
		{[]string{"--emulate", "--run", "bad-cleanup-fd"}, 0},
		{[]string{"--emulate", "--from", reversed}, 1},
		{nil, 2},
		{[]string{"--emulate", "--device", "/dev/zfs"}, 2},
		{[]string{"--emulate", "surplus"}, 2},
		{[]string{"--emulate", "--unknown"}, 2},
		{[]string{"--emulate", "--format", "yaml"}, 2},
		{[]string{"--emulate", "--run", "("}, 2},
		{[]string{"--emulate", "--run", "no such check"}, 2},
		{[]string{"--emulate", "--from", notDevice}, 2},
		{[]string{"--emulate", "--from", os.DevNull}, 2},
		{[]string{"--device", notDevice, "--from", reversed}, 2},
		{[]string{"--device", notDevice}, 2},
		{[]string{"--device", os.DevNull}, 2},
		{[]string{"--device", notDevice, "--dir", filepath.Join(notDevice, "none")}, 2},
		{[]string{"--device", notDevice, "--dir", reversed}, 2},
	}
	for _, test := range tests {
		var stdout, stderr strings.Builder
		if got := run(t.Context(), test.args, &stdout, &stderr); got != test.want {
			t.Errorf("%q: got exit status %d, want %d\n%s%s", test.args, got, test.want, &stdout, &stderr)
		}
		if said := stderr.Len() > 0; said != (test.want == exitCannot) {
			t.Errorf("%q: standard error is %q", test.args, &stderr)
		}
	}
}

func TestWithPoolsIsSaidTwice(t *testing.T) {
	for args, want := range map[string]bool{"": false, "--with-pools": false, "--with-pools --with-pools": true} {
		o, err := parseOptions(append([]string{"--emulate"}, strings.Fields(args)...))
		if got := o.withPools >= saidTwice; got != want || err != nil {
			t.Errorf("%q: got allowed %t (%v), want %t", args, got, err, want)
		}
	}
}

func TestInterruptedRunCannot(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr strings.Builder
	if got := run(ctx, []string{"--emulate"}, &stdout, &stderr); got != exitCannot || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("got exit status %d: %s", got, &stderr)
	}
}

// TestFailureInEveryFormat wants a failed check, with what it asserts, and
// the counts.
func TestFailureInEveryFormat(t *testing.T) {
	reversed := writeRecording(t, slices.Reverse[[]zevent.Event])
	output := func(format string) []byte {
		var stdout, stderr bytes.Buffer
		if got := run(t.Context(), []string{"--emulate", "--from", reversed, "--run", "^order$", "--format", format}, &stdout, &stderr); got != exitFindings {
			t.Fatalf("%s: got exit status %d: %s", format, got, &stderr)
		}
		return stdout.Bytes()
	}
	const detail = "raise 2 has EID 11, want more than EID 12 of the raise before"
	for format, wants := range map[string][]string{
		"text": {"fail  order\n      " + detail + "\n      Asserts: ", "0 passed, 1 failed, 0 skipped"},
		"tap":  {"1..1\n", "not ok 1 - order\n# " + detail + "\n# Asserts: "},
	} {
		for _, want := range wants {
			if text := string(output(format)); !strings.Contains(text, want) {
				t.Errorf("%s: want %q in\n%s", format, want, text)
			}
		}
	}

	type line struct{ Type, Status, Detail string }
	var types []string
	lines := json.NewDecoder(bytes.NewReader(output("json")))
	for lines.More() {
		var l line
		if err := lines.Decode(&l); err != nil {
			t.Fatal(err)
		}
		types = append(types, l.Type)
		if l.Type == "result" && (l.Status != "fail" || l.Detail != detail) {
			t.Errorf("json: got %+v", l)
		}
	}
	if diff := cmp.Diff([]string{"target", "result", "event", "event", "event", "summary"}, types); diff != "" {
		t.Errorf("types of the JSON lines (-want +got):\n%s", diff)
	}

	var junit junitSuite
	if err := xml.Unmarshal(output("junit"), &junit); err != nil {
		t.Fatal(err)
	}
	if junit.Tests != 1 || junit.Failures != 1 || junit.Cases[0].Failure.Message != detail {
		t.Errorf("junit: got %+v", junit)
	}
}

// TestExampleOfUsage runs the example that -h shows.
func TestExampleOfUsage(t *testing.T) {
	_, example, ok := strings.Cut(usage(), "Example:\n\n\tzevent-test ")
	if !ok {
		t.Fatalf("no example in\n%s", usage())
	}
	args := strings.Fields(strings.ReplaceAll(example, "'", ""))
	var stdout, stderr strings.Builder
	if got := run(t.Context(), args, &stdout, &stderr); got != exitClean || !strings.HasPrefix(stdout.String(), "TAP version 13\n1..2\n") {
		t.Errorf("%q: got exit status %d\n%s%s", args, got, &stdout, &stderr)
	}
}
