package lines

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestScanner(t *testing.T) {
	type line struct {
		Number, Bytes int
		Fault         Fault
	}
	long := strings.Repeat("x", MaxBytes)
	tests := []struct {
		name, input string
		want        []line
	}{
		{"empty", "", nil},
		{"one", "ab\n", []line{{1, 2, Whole}}},
		{"blank lines count", "\n\nabc\n", []line{{1, 0, Whole}, {2, 0, Whole}, {3, 3, Whole}}},
		{"cut off", "ab\ncd", []line{{1, 2, Whole}, {2, 2, Unterminated}}},
		{"too long loses itself only", "a\n" + long + "yz\nb\n", []line{{1, 1, Whole}, {2, MaxBytes, TooLong}, {3, 1, Whole}}},
		{"too long by its newline", long[1:] + "\nb\n", []line{{1, MaxBytes, TooLong}, {2, 1, Whole}}},
		{"too long and cut off", long, []line{{1, MaxBytes, TooLong}}},
		{"longest allowed", long[:MaxBytes-2] + "\nb\n", []line{{1, MaxBytes - 2, Whole}, {2, 1, Whole}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, input := range []io.Reader{strings.NewReader(test.input), bytes.NewBufferString(test.input)} {
				s := NewScanner(input)
				var got []line
				for s.Scan() {
					got = append(got, line{s.Number(), len(s.Text()), s.Fault()})
				}
				if diff := cmp.Diff(test.want, got); diff != "" || s.Err() != nil {
					t.Errorf("from %T: error %v, lines (-want +got):\n%s", input, s.Err(), diff)
				}
			}
		})
	}
}

func TestScannerReportsReadFailure(t *testing.T) {
	broken := errors.New("broken disk")
	s := NewScanner(iotest.ErrReader(broken))
	if s.Scan() || s.Err() != broken {
		t.Errorf("Err() = %v, want %v", s.Err(), broken)
	}
}
