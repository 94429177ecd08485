package wire

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStream(t *testing.T) {
	var port bytes.Buffer
	s := NewStream(&port)
	records := []Record{
		{Kind: Booted, Uptime: 2.5, Release: "6.1.0-56-amd64"},
		{Kind: Stdout, Program: 1, Uptime: 3, Text: `<a> & "b"`},
		{Kind: Stdout, Program: 1, Uptime: 3, Text: strings.Repeat("alike ", 1000)},
	}
	for _, r := range records {
		if err := s.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if port.Len() > 1000 {
		t.Errorf("%d bytes for three records of which one repeats itself", port.Len())
	}
	want := `{"kind":"booted","uptime":2.5,"release":"6.1.0-56-amd64"}
{"kind":"stdout","uptime":3,"program":1,"text":"<a> & \"b\""}
{"kind":"stdout","uptime":3,"program":1,"text":"` + strings.Repeat("alike ", 1000) + `"}
`
	got, err := io.ReadAll(Lines(bytes.NewReader(port.Bytes()))) // which is never closed
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	for n := range port.Len() {
		got, err := io.ReadAll(Lines(bytes.NewReader(port.Bytes()[:n])))
		if err != nil || !strings.HasPrefix(want, string(got)) {
			t.Fatalf("cut after %d bytes: %v, %d bytes that do not begin the lines", n, err, len(got))
		}
	}
}

func TestLinesOfGarbage(t *testing.T) {
	if got, err := io.ReadAll(Lines(strings.NewReader("garbage"))); err == nil {
		t.Errorf("no error, %q", got)
	}
}
