package stackcheck

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the data of an object points at can be called, though nothing calls it by name.
func TestEntriesOfObject(t *testing.T) {
	const source = `
void called(void) {}
static void local(void) {}
void unused(void) {}
void caller(void) { called(); }
void (*const table[])(void) = {caller, local};
`
	b := compile(t, source, "-O0", "-fno-pie")
	if diff := cmp.Diff([]string{"caller", "local"}, b.Entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestReachByData(t *testing.T) {
	b := made(t, "a.c:1 Exported 8 helper\na.c:2 helper 8\na.c:3 Dead 8 below\na.c:4 below 8")
	b.Entries = []string{"Exported"}
	got := make(map[string]Reach)
	reach := reachOf(b, nil)
	for _, f := range b.Frames() {
		got[f.Function] = reach[place(f)]
	}
	for function, want := range map[string]Reach{"Exported": Reached, "helper": Reached, "Dead": Unreached, "below": Unreached} {
		if got[function] != want {
			t.Errorf("%s is %s, want %s", function, got[function], want)
		}
	}
}
