package report

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/headerinstall"
)

func TestHeaderPlan(t *testing.T) {
	plan, err := headerinstall.NewPlan(t.Context(), headerinstall.Config{
		Root: "../testdata/openzfs-2.1.11", Sources: []string{"./nvpair/include"}, Dest: filepath.Join(t.TempDir(), "include"),
	})
	if err != nil {
		t.Fatal(err)
	}
	plan.Config.Dest = "include"
	plan.Entries[0].Also = []string{"./other/include/sys/nvpair.h"}
	plan.Entries[1].Action = headerinstall.Kept
	var got strings.Builder
	if err := HeaderPlan(plan).Write(&got, TableFormat, 0); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(got.String(), "\n")
	for i, want := range []string{
		"why",
		"  0644   " + grouped(int(plan.Entries[0].Size)) + "  " + plan.Entries[0].SHA256.String() + "  new     nothing is there; 1 more source of the same content",
		"  kept    no source leads to it any more, but it was changed after it was installed",
		"into include: 1 new, 1 kept",
	} {
		if !strings.HasSuffix(lines[i], want) {
			t.Errorf("line %d is %q, want one that ends in %q", i+1, lines[i], want)
		}
	}
	if diff := cmp.Diff("into include: nothing", HeaderPlan(headerinstall.Plan{Config: headerinstall.Config{Dest: "include"}}).Summary); diff != "" {
		t.Errorf("summary of an empty plan (-want +got):\n%s", diff)
	}
}
