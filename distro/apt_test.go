package distro

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A library of Debian 13 provides that of Debian 12 with the same interface; one of another architecture is of no use.
func TestReadInstalled(t *testing.T) {
	const text = "installed\tamd64\tgcc, c-compiler\n" +
		"installed\tamd64\tlibssl3t64, libssl3 (= 3.5.9-1)\n" +
		"config-files\tamd64\tbc, \n" +
		"installed\ti386\tlibelf1, \n" +
		"installed\tall\ttzdata, tzdata-trixie, tzdata-legacy (= 2026a)\n" +
		"\n"
	got := slices.Sorted(maps.Keys(readInstalled(text, "amd64")))
	want := []string{"c-compiler", "gcc", "libssl3", "libssl3t64", "tzdata", "tzdata-legacy", "tzdata-trixie"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
