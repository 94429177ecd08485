package stackcheck

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// A snapshot that was made to fill the memory is refused long before it does.
func TestSnapshotThatExpands(t *testing.T) {
	tests := map[string]io.Reader{
		"spaces":    repeated(" ", 200<<20),
		"a name":    io.MultiReader(strings.NewReader(`{"format": "`), repeated("a", 200<<20), strings.NewReader(`"}`)),
		"functions": io.MultiReader(strings.NewReader(`{"functions": [`), repeated("{},", 200<<20), strings.NewReader(`{}]}`)),
	}
	for name, plain := range tests {
		t.Run(name, func(t *testing.T) {
			var bomb bytes.Buffer
			w, err := zstd.NewWriter(&bomb)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(w, plain); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err = ReadSnapshot(bytes.NewReader(bomb.Bytes()))
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), "expand") {
				t.Errorf("%d bytes: %v", bomb.Len(), err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 96<<20 {
				t.Errorf("%d bytes took %d bytes of memory", bomb.Len(), got)
			}
		})
	}
}

func repeated(text string, size int64) io.Reader {
	return io.LimitReader(&repeater{text: text}, size/int64(len(text))*int64(len(text)))
}

type repeater struct {
	text string
	at   int
}

func (r *repeater) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.text[r.at]
		r.at = (r.at + 1) % len(r.text)
	}
	return len(p), nil
}
