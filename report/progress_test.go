package report

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/progress"
)

var events = []progress.Event{
	{Step: "outer", State: progress.Started},
	{Step: "inner", State: progress.Started},
	{Step: "inner", Done: 3, Total: 10, Unit: "files", Detail: "a\x1b[31m.o", Elapsed: 2 * time.Second},
	{Step: "outer", Elapsed: 3 * time.Second},
	{Step: "inner", State: progress.Finished, Elapsed: 61 * time.Second},
	{Step: "kept", State: progress.Started},
	{Step: "kept", State: progress.Cached},
	{Step: "outer", State: progress.Failed, Elapsed: 62 * time.Second},
}

func TestProgressInALog(t *testing.T) {
	var b strings.Builder
	p := NewProgress(&b, 0)
	for _, e := range events {
		p.Show(e)
	}
	want := `outer
inner
inner: done in 1m1s
kept: kept from an earlier run
outer: failed after 1m2s
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// A terminal sees the innermost step, cut to its width, and nothing that could steer it.
func TestProgressOnATerminal(t *testing.T) {
	var b strings.Builder
	p := NewProgress(&b, 40)
	for _, e := range events {
		p.Show(e)
	}
	const clear = "\r\x1b[K"
	want := clear + "outer\n" + clear + "inner\n" +
		clear + "inner: 3 of about 10 files, 2s: a.[31m." +
		clear + "inner: done in 1m1s\n" +
		clear + "kept: kept from an earlier run\n" + clear + "outer: failed after 1m2s\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("terminal (-want +got):\n%s", diff)
	}
}
