//go:build linux

package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/guest/wire"
)

func relayed(from io.Reader) (records []wire.Record) {
	relay(from, wire.Record{Kind: wire.Stdout, Program: 1}, func(r wire.Record) { records = append(records, r) })
	return records
}

// What is sent, with a line feed behind each text, is what was read, and no record ends within a line.
func TestRelay(t *testing.T) {
	const text = "one\n\ntwo\nthree"
	for name, test := range map[string]struct {
		from io.Reader
		want []string
	}{
		"at once":      {strings.NewReader(text), []string{"one\n\ntwo", "three"}},
		"byte by byte": {iotest.OneByteReader(strings.NewReader(text)), []string{"one", "", "two", "three"}},
		"nothing":      {strings.NewReader(""), nil},
	} {
		var got []string
		for _, r := range relayed(test.from) {
			if r.Kind != wire.Stdout || r.Program != 1 {
				t.Errorf("%s: a record of %s, program %d", name, r.Kind, r.Program)
			}
			got = append(got, r.Text)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestRelayOfAnEndlessLine(t *testing.T) {
	records := relayed(io.MultiReader(strings.NewReader("one\n"), strings.NewReader(strings.Repeat("x", 2*maxLineBytes))))
	if len(records) != 2 || records[0].Text != "one" || records[1].Kind != wire.Stderr || !strings.Contains(records[1].Text, "a line has more than") {
		t.Errorf("%d records, the last %.100q", len(records), records[len(records)-1].Text)
	}
	records = relayed(io.MultiReader(strings.NewReader("one\ntw"), iotest.ErrReader(errors.New("out of luck"))))
	if len(records) != 3 || records[1].Text != "tw" || !strings.Contains(records[2].Text, "out of luck") {
		t.Errorf("after an error: %+v", records)
	}
}
