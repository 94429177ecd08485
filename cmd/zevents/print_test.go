package main

import (
	"bytes"
	"io"
	"runtime"
	"testing"
)

// repeating is a recording whose events come again and again.
type repeating struct {
	header, lines []byte
	times         int
	rest          []byte
}

func repeat(header, lines []byte, times int) *repeating {
	return &repeating{header: header, lines: lines, times: times, rest: header}
}

func (r *repeating) Read(b []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.times == 0 {
			return 0, io.EOF
		}
		r.rest = r.lines
		r.times--
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// measured counts what is printed, and how large the heap becomes meanwhile.
type measured struct {
	bytes, writes int64
	maxHeap       uint64
}

func (m *measured) Write(b []byte) (int, error) {
	m.bytes += int64(len(b))
	if m.writes++; m.writes%256 == 0 {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		m.maxHeap = max(m.maxHeap, stats.HeapInuse)
	}
	return len(b), nil
}

// BenchmarkPrintMillion prints a recording of 10^6 events.
func BenchmarkPrintMillion(b *testing.B) {
	header, lines, _ := bytes.Cut(readFile(b, recordedDir+"events.zevents"), []byte("\n"))
	header = append(header, '\n')
	times := 1_000_000/bytes.Count(lines, []byte("\n")) + 1
	events := times * bytes.Count(lines, []byte("\n"))
	for name, o := range map[string]printOptions{"short": {}, "verbose": {verbose: true}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var out measured
			for b.Loop() {
				p := newPrinter(o, emulated(newQueue()), &out, io.Discard)
				if err := p.printFrom(b.Context(), repeat(header, lines, times), "repeated"); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(events*b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(out.maxHeap)/(1<<20), "heap-MiB")
			b.SetBytes(out.bytes / int64(b.N))
		})
	}
}
