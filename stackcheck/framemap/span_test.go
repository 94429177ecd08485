package framemap

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBytesCountsSharedOnce(t *testing.T) {
	for _, test := range []struct {
		spans []Span
		want  int
	}{
		{nil, 0},
		{[]Span{{-16, -8}}, 8},
		{[]Span{{-16, -8}, {-16, -8}}, 8},
		{[]Span{{-8, 0}, {-32, -4}}, 32},
		{[]Span{{-64, -32}, {-16, 0}, {-40, -30}}, 50},
	} {
		if got := Bytes(test.spans); got != test.want {
			t.Errorf("%v cover %d, want %d", test.spans, got, test.want)
		}
	}
}

func TestMarginalBytes(t *testing.T) {
	sets := [][]Span{
		{{-64, -32}},
		{{-48, -16}, {-8, 0}},
		{{-48, -40}},
		{},
		{{-100, -90}, {-95, -80}},
	}
	if diff := cmp.Diff([]int{16, 24, 0, 0, 20}, MarginalBytes(sets)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
