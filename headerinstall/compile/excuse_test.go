package compile

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadExcuses(t *testing.T) {
	got, err := ReadExcuses(strings.NewReader("# why not\n\nsys/trace.h: needs linux/tracepoint.h: for kernel code\n  a.h :x\r\n"), "excuses")
	want := []Excuse{{"sys/trace.h", "needs linux/tracepoint.h: for kernel code", "excuses:3"}, {"a.h", "x", "excuses:4"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, excuses (-want +got):\n%s", err, diff)
	}

	got, err = ReadExcuses(strings.NewReader("a.h: x\n b.h\nc.h:\n/d.h: x\n./e.h: x\na.h: y\nf.h: z\n"), "excuses")
	if diff := cmp.Diff([]Excuse{{"a.h", "x", "excuses:1"}, {"f.h", "z", "excuses:7"}}, got); diff != "" {
		t.Errorf("excuses (-want +got):\n%s", diff)
	}
	wantErr := `excuses:2:5: want "header: reason", got no reason; say why "b.h" need not compile
excuses:3:4: want "header: reason", got no reason; say why "c.h" need not compile
excuses:4:1: "/d.h" is not a path below the directory; write it as sys/x.h
excuses:5:1: "./e.h" is not a path below the directory; write it as sys/x.h
excuses:6:1: a.h is excused in excuses:1 already; remove one of the two`
	if diff := cmp.Diff(wantErr, err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	if _, err := ReadExcuses(strings.NewReader("a.h: x\n"+strings.Repeat("b", maxExcuseBytes)), "excuses"); err == nil {
		t.Error("no error of a line without end")
	}
}

func FuzzReadExcuses(f *testing.F) {
	f.Add("# why\n sys/a.h: it is so\nb.h:\n")
	f.Fuzz(func(t *testing.T, text string) {
		excuses, err := ReadExcuses(strings.NewReader(text), "x")
		for _, e := range excuses {
			if e.Header == "" || e.Reason == "" {
				t.Errorf("an excuse without header or reason: %+v", e)
			}
		}
		if err != nil && !strings.HasPrefix(err.Error(), "x:") {
			t.Errorf("an error without position: %v", err)
		}
	})
}
