package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/headerinstall"
	"github.com/kmodaudit/kmodaudit/stackcheck/frame"
)

func TestSummary(t *testing.T) {
	var r audit.Result
	r.Verdict = audit.Failed
	r.Headers = audit.Headers{
		Section:     audit.Section{Origin: audit.Origin{Kind: audit.Real, What: "a\x1b[31mtree"}, Warnings: []string{"a.h and A.h differ only in case"}},
		Destination: "out/include",
		Totals:      headerinstall.Totals{Headers: 1, ByDepth: []int{0, 1}},
	}
	deep := frame.Frame{Function: "deep", File: "m.c", Line: 9, Bytes: 4096}
	r.Stack = audit.Stack{
		Section: audit.Section{Origin: audit.Origin{Kind: audit.Recorded, What: "a build"}, Findings: []audit.Finding{
			{Where: "m.c:9:1", What: "deep is deep", Remedy: "make it flat"},
		}},
		Frames: 1234567, LimitBytes: 2048, Above: 1, Heaviest: []frame.Frame{deep},
		Watched: []audit.Watched{
			{Function: "gone"},
			{Function: "deep", Frames: []frame.Frame{deep, deep}, WorstPathBytes: 5000},
			{Function: "deeper", Frames: []frame.Frame{deep}, WorstPathBytes: 6000, LowerBound: true},
		},
	}
	r.Events = audit.Events{Section: audit.Section{Error: "no device\nload the module"}}
	var b strings.Builder
	if err := Summary(&b, r); err != nil {
		t.Fatal(err)
	}
	want := `headers  1 header installed into out/include: 0 at depth 0, 1 at depth 1 [real: a.[31mtree]
  warning: a.h and A.h differ only in case
stack    1,234,567 frames, the heaviest deep 4,096 B (m.c:9); 1 above 2,048 B, 0 waived; gone is not there; deep takes 4,096 B (largest of 2), the deepest path through it 5,000 B; deeper takes 4,096 B, the deepest path through it at least 6,000 B [recorded: a build]
  finding: m.c:9:1: deep is deep; make it flat
events   none checked
  error: no device
    load the module
verdict  could not be done
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 12: "12", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := grouped(n); got != want {
			t.Errorf("grouped(%d) = %q, want %q", n, got, want)
		}
	}
}
