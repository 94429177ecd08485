package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// What comes from a pipe is printed as it comes, and a line when it is whole.
func TestRecordingFromPipe(t *testing.T) {
	lines := bytes.SplitAfter(readFile(t, recordedDir+"events.zevents"), []byte("\n"))
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		var stdout output
		ended := make(chan error)
		go func() {
			p := newPrinter(printOptions{scripted: true}, emulated(newQueue()), &stdout, io.Discard)
			ended <- p.printFrom(t.Context(), r, "pipe")
		}()
		for _, step := range []struct {
			text []byte
			want string
		}{
			{lines[0], ""},
			{lines[1], "Nov 22 2026 06:12:15.736000000\tsysevent.fs.zfs.pool_create\n"},
			{lines[2][:100], ""},
			{lines[2][100:], "Nov 22 2026 06:12:15.740000000\tsysevent.fs.zfs.history_event\n"},
		} {
			if _, err := w.Write(step.text); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if diff := cmp.Diff(step.want, stdout.take()); diff != "" {
				t.Errorf("after %.30q (-want +got):\n%s", step.text, diff)
			}
		}
		w.CloseWithError(errors.New("broken"))
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "reading recording pipe: broken") {
			t.Errorf("ended with %v", err)
		}
	})
}

// failing fails after some bytes.
type failing struct{ room int }

var errFull = errors.New("full")

func (f *failing) Write(b []byte) (int, error) {
	if f.room -= len(b); f.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// An output that takes no more ends the printing, wherever that is.
func TestPrintingToFullOutput(t *testing.T) {
	header, events, _ := bytes.Cut(readFile(t, recordedDir+"events.zevents"), []byte("\n"))
	header = append(header, '\n')
	for _, room := range []int{0, 100 << 10, 500 << 10} {
		synctest.Test(t, func(t *testing.T) {
			p := newPrinter(printOptions{verbose: true}, emulated(newQueue()), &failing{room}, io.Discard)
			if err := p.printFrom(t.Context(), repeat(header, events, 20), "repeated"); !errors.Is(err, errFull) {
				t.Errorf("room for %d bytes: ended with %v", room, err)
			}
		}) // which waits for every goroutine to end
	}
}
