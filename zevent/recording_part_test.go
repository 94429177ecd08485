package zevent_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/zevent"
)

// outcome is what a reader makes of a recording.
type outcome struct {
	Events []string // EIDs, or errors
	End    string
}

func (o *outcome) take(v zevent.View, err error) {
	if err != nil {
		o.Events = append(o.Events, err.Error())
	} else {
		o.Events = append(o.Events, fmt.Sprint(v.EID))
	}
}

// byLine, byPart and byBoth read a recording in the three ways there are.
func byLine(r *zevent.RecordingReader) (o outcome) {
	for r.Scan() {
		o.take(r.View())
	}
	o.End = fmt.Sprint(r.Err())
	return o
}

func byPart(r *zevent.RecordingReader) (o outcome) {
	var part zevent.RecordingPart
	for r.ScanPart(&part) {
		for part.Scan() {
			o.take(part.View())
		}
	}
	o.End = fmt.Sprint(r.Err())
	return o
}

func byBoth(r *zevent.RecordingReader) (o outcome) {
	if r.Scan() {
		o.take(r.View())
	}
	rest := byPart(r)
	return outcome{append(o.Events, rest.Events...), rest.End}
}

// However a recording is cut into reads and parts, its events and errors are the same.
func TestPartsAreTheWhole(t *testing.T) {
	lines := bytes.SplitAfter(readFile(t, "events.zevents"), []byte("\n"))
	long := append(bytes.Repeat([]byte("x"), 3<<20), '\n')
	join := func(lines ...[]byte) []byte { return bytes.Join(lines, nil) }
	event := func(i int) []byte { return lines[i] }
	tests := map[string][]byte{
		"header only":       event(0),
		"no end":            bytes.TrimSuffix(join(event(0), event(1), event(2)), []byte("\n")),
		"empty lines":       join(event(0), []byte("\n\r\n"), event(1), []byte("\n"), event(2), []byte("\n\n")),
		"bad lines":         join(event(0), []byte("{\n"), event(1), []byte("{}\n"), event(2), []byte("torn")),
		"long line":         join(event(0), event(1), long, event(2)),
		"long line first":   join(event(0), long, event(1)),
		"long line last":    join(event(0), event(1), long),
		"long line unended": join(event(0), event(1), long[:len(long)-1]),
		"two long lines":    join(event(0), long, long, event(1)),
		"all":               join(lines...),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			sources := map[string]func() io.Reader{
				"whole":        func() io.Reader { return bytes.NewReader(text) },
				"half":         func() io.Reader { return iotest.HalfReader(bytes.NewReader(text)) },
				"end with all": func() io.Reader { return iotest.DataErrReader(bytes.NewReader(text)) },
			}
			if len(text) < 1<<20 {
				sources["bytes"] = func() io.Reader { return iotest.OneByteReader(bytes.NewReader(text)) }
			}
			want := byLine(newReader(t, bytes.NewReader(text)))
			if strings.Contains(name, "long") != strings.Contains(fmt.Sprint(want), "line is longer than") {
				t.Errorf("got %v", want)
			}
			for source, open := range sources {
				for way, read := range map[string]func(*zevent.RecordingReader) outcome{"line": byLine, "part": byPart, "both": byBoth} {
					if diff := cmp.Diff(want, read(newReader(t, open()))); diff != "" {
						t.Errorf("%s by %s (-want +got):\n%s", source, way, diff)
					}
				}
			}
		})
	}
}

func newReader(tb testing.TB, r io.Reader) *zevent.RecordingReader {
	tb.Helper()
	reader, err := zevent.NewRecordingReader(r, "copy")
	if err != nil {
		tb.Fatal(err)
	}
	return reader
}

// Parts are independent of their reader and of one another.
func TestPartsAtOnce(t *testing.T) {
	text := readFile(t, "events.zevents")
	header, events, _ := bytes.Cut(text, []byte("\n"))
	text = append(append(bytes.Clone(header), '\n'), bytes.Repeat(events, 5)...)
	r := newReader(t, bytes.NewReader(text))
	var group sync.WaitGroup
	counts := make(chan int, 100)
	for part := new(zevent.RecordingPart); r.ScanPart(part); part = new(zevent.RecordingPart) {
		group.Go(func() {
			n := 0
			for part.Scan() {
				if _, err := part.View(); err == nil {
					n++
				}
			}
			counts <- n
		})
	}
	group.Wait()
	close(counts)
	sum, parts := 0, 0
	for n := range counts {
		sum, parts = sum+n, parts+1
	}
	if sum != 5*252 || parts < 2 {
		t.Errorf("got %d events in %d parts, want %d in several", sum, parts, 5*252)
	}
}

func TestRecordingTail(t *testing.T) {
	lines := bytes.SplitAfter(readFile(t, "events.zevents"), []byte("\n"))[:3]
	whole := bytes.Join(lines, nil)
	long := append(bytes.Repeat([]byte("x"), 1<<20+1), '\n')
	type tail struct {
		WholeSize int
		EID       uint64
		BadLines  int
		Bad       string
	}
	tests := []struct {
		name string
		text []byte
		want tail
	}{
		{"empty", nil, tail{}},
		{"no whole line", whole[:20], tail{}},
		{"header", lines[0], tail{WholeSize: len(lines[0])}},
		{"whole", whole, tail{WholeSize: len(whole), EID: 2}},
		{"torn", whole[:len(whole)-1], tail{WholeSize: len(whole) - len(lines[2]), EID: 1}},
		{"bad line", append(bytes.Clone(whole), "{}\n{\n"...), tail{WholeSize: len(whole) + 5, EID: 2, BadLines: 2, Bad: fmt.Sprintf("copy: at byte %d: want an event in JSON", len(whole)+3)}},
		{"empty lines", append(bytes.Clone(whole), "\n\r\n"...), tail{WholeSize: len(whole) + 3, EID: 2}},
		{"long line", append(bytes.Clone(whole), long...), tail{WholeSize: len(whole) + len(long), EID: 2, BadLines: 1, Bad: fmt.Sprintf("copy: at byte %d: line is longer", len(whole))}},
		{"nothing good", append(bytes.Clone(lines[0]), "x\n"...), tail{WholeSize: len(lines[0]) + 2, BadLines: 1, Bad: fmt.Sprintf("copy: at byte %d", len(lines[0]))}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := zevent.ReadRecordingTail(bytes.NewReader(test.text), int64(len(test.text)), "copy")
			if err != nil {
				t.Fatal(err)
			}
			bad := ""
			if got.Bad != nil {
				bad = got.Bad.Error()[:min(len(test.want.Bad), len(got.Bad.Error()))]
			}
			if diff := cmp.Diff(test.want, tail{int(got.WholeSize), got.Last.EID, got.BadLines, bad}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got.WholeSize > 0 && got.Header.Module != "2.1.11-1+deb12u1" {
				t.Errorf("header %+v", got.Header)
			}
		})
	}
	if _, err := zevent.ReadRecordingTail(strings.NewReader("x\ny\n"), 4, "copy"); err == nil {
		t.Error("no recording: want an error")
	}
}

// The tail of a long recording is read, not all of it.
func TestRecordingTailIsShort(t *testing.T) {
	text := readFile(t, "events.zevents")
	counting := &countingReaderAt{ReaderAt: bytes.NewReader(text)}
	if _, err := zevent.ReadRecordingTail(counting, int64(len(text)), "copy"); err != nil || counting.bytes > 400<<10 {
		t.Errorf("read %d of %d bytes, error %v", counting.bytes, len(text), err)
	}
}

type countingReaderAt struct {
	io.ReaderAt
	bytes int
}

func (c *countingReaderAt) ReadAt(b []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(b, off)
	c.bytes += n
	return n, err
}

func FuzzRecordingTail(f *testing.F) {
	lines := bytes.SplitAfter(readFile(f, "events.zevents"), []byte("\n"))
	f.Add(bytes.Join(lines[:3], nil))
	f.Add(append(bytes.Join(lines[:2], nil), "{}\n{"...))
	f.Add([]byte(`{"format":"zev`))
	f.Fuzz(func(t *testing.T, text []byte) {
		tail, err := zevent.ReadRecordingTail(bytes.NewReader(text), int64(len(text)), "fuzz")
		if err != nil || tail.WholeSize == 0 {
			return
		}
		var last uint64
		for r := newReader(t, bytes.NewReader(text[:tail.WholeSize])); r.Scan(); {
			if v, err := r.View(); err == nil {
				last = v.EID
			}
		}
		if tail.Last.EID != last {
			t.Errorf("last EID %d, read from the start %d", tail.Last.EID, last)
		}
	})
}
