package frame

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFrameJSON(t *testing.T) {
	tests := []struct {
		name  string
		frame Frame
		want  string
	}{
		{"gcc", Frame{Function: "dmu_recv_stream", File: "zfs/dmu_recv.c", Line: 2898, Column: 1, Bytes: 232, Kind: Bounded,
			Object: "zfs/dmu_recv.o", Source: SourceSU},
			`{"function":"dmu_recv_stream","file":"zfs/dmu_recv.c","line":2898,"column":1,"bytes":232,` +
				`"kind":"dynamic,bounded","object":"zfs/dmu_recv.o","source":"su"}`},
		{"what the source does not have is left out, no bytes are bytes", Frame{Function: "leaf", File: "a.c", Line: 2, Kind: Static},
			`{"function":"leaf","file":"a.c","line":2,"bytes":0,"kind":"static"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := json.Marshal(test.frame)
			if diff := cmp.Diff(test.want, string(got)); diff != "" || err != nil {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	want := []Frame{
		{Bytes: 16, File: "b.c", Function: "z"},
		{Bytes: 8, File: "a.c", Function: "f", Line: 1},
		{Bytes: 8, File: "a.c", Function: "f", Line: 2, Object: "a.o"},
		{Bytes: 8, File: "a.c", Function: "f", Line: 2, Object: "b.o"},
		{Bytes: 8, File: "a.c", Function: "g", Line: 1},
		{Bytes: 8, File: "b.c", Function: "a"},
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, Compare)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestBaseName(t *testing.T) {
	for function, want := range map[string]string{
		"dmu_recv_stream": "dmu_recv_stream", "f.constprop.isra": "f", "f.part.0": "f", "11": "11", "": "", ".L": ".L",
	} {
		if got := BaseName(function); got != want {
			t.Errorf("BaseName(%q) = %q, want %q", function, got, want)
		}
	}
}
