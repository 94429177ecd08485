package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pollInterval is longer than a follower takes to see an event.
const pollInterval = time.Second

// A follower prints what is queued and what comes, and ends without an
// error when it is told to.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		post(t, q, "first")
		ctx, cancel := context.WithCancel(t.Context())
		var stdout, stderr output
		status := make(chan int)
		go func() { status <- run(ctx, emulated(q), []string{"-fH"}, &stdout, &stderr) }()

		want := func(want string) {
			t.Helper()
			synctest.Wait()
			if diff := cmp.Diff(want, stdout.take()); diff != "" {
				t.Errorf("printed (-want +got):\n%s", diff)
			}
		}
		want("Jan  1 2000 00:00:00.000000000\tfirst\n")
		post(t, q, "second")
		time.Sleep(pollInterval)
		want("Jan  1 2000 00:00:00.000000000\tsecond\n")
		time.Sleep(time.Hour)
		want("")
		post(t, q, "third")
		post(t, q, "fourth")
		time.Sleep(pollInterval)
		want("Jan  1 2000 01:00:01.000000000\tthird\nJan  1 2000 01:00:01.000000000\tfourth\n")

		cancel()
		if got := <-status; got != 0 || stderr.take() != "" {
			t.Errorf("ended with exit status %d, want 0 and nothing said", got)
		}
	})
}

// The count goes to the reader whose event went, and is printed even if the next event is not.
func TestDroppedBeforeFilter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		post(t, q, "c", ofPool("tank"))
		s := emulated(q)
		ctx, cancel := context.WithCancel(t.Context())
		var text, json, stderr output
		status := make(chan int)
		go func() { status <- run(ctx, s, []string{"-fH", "tank"}, &text, &stderr) }()
		go func() { status <- run(ctx, s, []string{"-f", "--json", "tank"}, &json, &stderr) }()
		synctest.Wait()
		text.take()
		json.take()
		do(t, s, 0, "-c")
		post(t, q, "c", ofPool("other"))
		post(t, q, "no pool")
		time.Sleep(pollInterval)
		synctest.Wait()
		if got, want := text.take(), "dropped 1 events\nJan  1 2000 00:00:00.000000000\tno pool\n"; got != want {
			t.Errorf("text: got %q, want %q", got, want)
		}
		if got, want := json.take(), `{"type":"dropped","dropped":1}`+"\n"+`{"type":"event","eid":3,`; !strings.HasPrefix(got, want) {
			t.Errorf("JSON: got %q, want %q...", got, want)
		}
		cancel()
		for range 2 {
			if got := <-status; got != 0 {
				t.Errorf("ended with exit status %d", got)
			}
		}
	})
}

func TestRecordFollows(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.zevents")
	synctest.Test(t, func(t *testing.T) {
		q := newQueue()
		ctx, cancel := context.WithCancel(t.Context())
		var stdout, stderr output
		status := make(chan int)
		go func() { status <- run(ctx, emulated(q), []string{"record", "-fo", name}, &stdout, &stderr) }()
		synctest.Wait()
		post(t, q, "one")
		time.Sleep(pollInterval)
		synctest.Wait()
		if text := string(readFile(t, name)); strings.Count(text, "\n") != 2 {
			t.Errorf("after an event the recording is\n%s", text)
		}
		if _, said := do(t, emulated(q), 2, "record", "-o", name); !strings.Contains(said, "another process writes it") {
			t.Errorf("a second recorder said %q", said)
		}
		cancel()
		if got := <-status; got != 0 || stdout.take() != "recorded 1 events\n" {
			t.Errorf("ended with exit status %d: %s", got, stderr.take())
		}
	})
}

func TestInterruptedPrint(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{nil, {"--from", recordedDir + "events.zevents"}} {
		var stdout, stderr strings.Builder
		if got := run(ctx, emulated(newQueue()), args, &stdout, &stderr); got != 2 || stderr.String() != "zevents: interrupted\n" {
			t.Errorf("%q: exit status %d, said %q", args, got, &stderr)
		}
	}
}
