package stackcheck

import "testing"

// The depths are those of the paths.
func TestDepthsOfRecording(t *testing.T) {
	g := openzfs(t).Graph
	for i, n := range g.Nodes {
		if i%7 != 0 { // a path of each function would take seconds
			continue
		}
		if got, want := g.DepthFrom(n), g.WorstFrom(n).Bytes; got != want {
			t.Errorf("%s: %d bytes deep, want %d", n.Function, got, want)
		}
	}
}
