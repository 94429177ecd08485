package measure

import (
	"testing"
	"time"
)

func walls(ms ...int) (samples []Sample) {
	for _, n := range ms {
		samples = append(samples, Sample{Wall: time.Duration(n) * time.Millisecond, CPU: time.Millisecond, Peak: int64(n) * 1e5})
	}
	return samples
}

func TestRatios(t *testing.T) {
	got := Ratios(walls(10, 40, 30, 20), walls(20, 20, 20, 20))
	if want := (Ratio{Median: 1.25, Least: 0.5, Most: 2}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Median([]int64{9, 1, 5}); got != 5 {
		t.Errorf("the median is %d", got)
	}
	for n, want := range map[float64]string{0.6: "met", 0.604: "met", 0.606: "missed", 10: "missed"} {
		if got := Verdict(n, 0.6); got != want {
			t.Errorf("%v is %s", n, got)
		}
	}
}
