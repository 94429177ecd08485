package report

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/stackcheck/callgraph"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

var update = flag.Bool("update", false, "write golden files")

func stepOf(function, file string, bytes int) callgraph.Step {
	return callgraph.Step{Frame: frame.Frame{Function: function, File: file, Line: 7, Column: 1, Bytes: bytes}, Bytes: bytes}
}

func pathOf(v callgraph.Verdict, steps ...callgraph.Step) callgraph.Path {
	p := callgraph.Path{Verdict: v, Steps: steps}
	for _, s := range steps {
		p.Bytes += s.Bytes
	}
	return p
}

// Paths that begin alike share boxes, those that are deepest come first, and each box is where its bytes are.
func TestLayIcicle(t *testing.T) {
	a, b, c := stepOf("a", "zfs/a.c", 100), stepOf("b", "zfs/b.c", 40), stepOf("c", "spl/c.c", 300)
	l := layIcicle(deepestFirst([]callgraph.Path{
		pathOf(callgraph.Verdict{}, b),
		pathOf(callgraph.Verdict{}, a, b),
		{}, // of a graph without functions
		pathOf(callgraph.Verdict{}, a, c, b),
	}))
	var got []string
	for _, x := range l.boxes {
		got = append(got, fmt.Sprintf("%s columns %d to %d, bytes %d to %d, %s", x.step.Frame.Function, x.first, x.end, x.top, x.top+x.step.Bytes, l.rooms[x.room]))
	}
	want := []string{
		"a columns 0 to 2, bytes 0 to 100, zfs",
		"c columns 0 to 1, bytes 100 to 400, spl",
		"b columns 0 to 1, bytes 400 to 440, zfs",
		"b columns 1 to 2, bytes 100 to 140, zfs",
		"b columns 2 to 3, bytes 0 to 40, zfs",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("boxes (-want +got):\n%s", diff)
	}
	if l.columns != 3 || l.bytes != 440 || len(l.ends) != 3 {
		t.Errorf("%d columns, %d bytes, %d ends; want 3, 440, 3", l.columns, l.bytes, len(l.ends))
	}
}

func TestRoomsAreFew(t *testing.T) {
	var steps []callgraph.Step
	for i := range 20 {
		steps = append(steps, stepOf("f", fmt.Sprintf("dir%02d/f.c", i), 1000-i))
	}
	l := layIcicle(deepestFirst([]callgraph.Path{pathOf(callgraph.Verdict{}, steps...)}))
	want := []string{"dir00", "dir01", "dir02", "dir03", "dir04", "dir05", "dir06", "other"}
	if diff := cmp.Diff(want, l.rooms); diff != "" {
		t.Errorf("rooms (-want +got):\n%s", diff)
	}
	if last := l.boxes[19]; last.room != 7 {
		t.Errorf("the last box is of room %d, want that of the others", last.room)
	}
}

func TestWriteIcicle(t *testing.T) {
	recursive := stepOf("walk", "zfs/dsl_dir.c", 640)
	recursive.Cycle = []frame.Frame{recursive.Frame, {Function: "walk_cb", Bytes: 320}}
	called := stepOf("panic", "spl/spl.c", 400)
	called.Site = callgraph.Position{File: "zfs/arc.c", Line: 9, Column: 3}
	long := stepOf("receive_"+strings.Repeat("long_", 30)+"name", "zfs/recv.c", 1200)
	verdict := callgraph.Verdict{Indirect: 2, Cycles: 1}
	for name, paths := range map[string][]callgraph.Path{
		"icicle-two.svg": {
			pathOf(verdict, long, recursive, stepOf("small", "zfs/arc.c", 16), called),
			pathOf(callgraph.Verdict{}, long, stepOf("asm", "", 64), stepOf(`<b>"&'`+"\x1b[31m\xff\n", "a&b/<c>.c", 128)),
		},
		"icicle-one.svg":   {pathOf(verdict, long, recursive, stepOf("small", "zfs/arc.c", 16), stepOf("tiny", "zfs/arc.c", 8), called)},
		"icicle-empty.svg": nil,
	} {
		t.Run(name, func(t *testing.T) {
			var got strings.Builder
			if err := WriteIcicle(&got, "The <deepest> paths", paths, StackBytes); err != nil {
				t.Fatal(err)
			}
			wellFormed(t, got.String())
			golden := "testdata/" + name
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s (-want +got); look at the drawing and run go test ./report -update:\n%s", golden, diff)
			}
		})
	}
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
	}
}

// Whatever names a hostile build has, the drawing stays well-formed, and nothing of them is markup.
func FuzzWriteIcicle(f *testing.F) {
	f.Add("f", "a.c", 16)
	f.Add("</text><script>alert(1)</script>", "\x00\xff\u202e.c", 1<<31-1)
	f.Fuzz(func(t *testing.T, function, file string, bytes int) {
		bytes = max(0, min(bytes, frame.MaxBytes))
		var got strings.Builder
		paths := []callgraph.Path{pathOf(callgraph.Verdict{External: 1}, stepOf(function, file, bytes), stepOf(file, function, 8)), pathOf(callgraph.Verdict{}, stepOf(file, file, 8))}
		if err := WriteIcicle(&got, function, paths, StackBytes); err != nil {
			t.Fatal(err)
		}
		wellFormed(t, got.String())
		if strings.Contains(strings.ToLower(got.String()), "<script") {
			t.Fatal("a script")
		}
	})
}
