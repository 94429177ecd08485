package cli

import "testing"

func TestEditDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"dmu_recv_steam", "dmu_recv_stream", 1},
		{"kitten", "sitting", 3}, {"abc", "acb", 2}, {"ab", "abcdefgh", 6},
	} {
		if got := editDistance(test.a, test.b); got != test.want {
			t.Errorf("from %q to %q: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
