package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

// expanded returns what a file of testdata/openzfs-RELEASE/every-class holds.
func expanded(tb testing.TB, release, name string) []byte {
	tb.Helper()
	r, err := zstd.NewReader(bytes.NewReader(readFile(tb, filepath.Join("../../testdata/openzfs-"+release, "every-class", name+".zst"))))
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	var text bytes.Buffer
	if _, err := r.WriteTo(&text); err != nil {
		tb.Fatal(err)
	}
	return text.Bytes()
}

// Every class that a real module could be brought to post is printed to the byte as
// the zpool of its release prints it: strings with control characters, checksum
// ranges, states, and since 2.3 the names of bits among it. What was not posted is
// said in testdata/README.md.
func TestEveryClassAsZpool(t *testing.T) {
	for release, wantClasses := range map[string]int{"2.1.11": 51, "2.3.2": 58, "2.3.9": 58, "2.4.4": 59} {
		t.Run(release, func(t *testing.T) {
			recording := filepath.Join(t.TempDir(), "events.zevents")
			if err := os.WriteFile(recording, expanded(t, release, "events.zevents"), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, test := range []struct{ flags, file string }{{"-v", "zpool-events-v.txt"}, {"-H", "zpool-events-H.txt"}} {
				stdout, stderr := do(t, emulated(newQueue()), 0, test.flags, "--from", recording)
				if diff := cmp.Diff(string(expanded(t, release, test.file)), stdout); diff != "" || stderr != "" {
					t.Errorf("zevents %s (-want +got):\n%s%s", test.flags, diff, stderr)
				}
			}
			var classes []string
			for line := range strings.Lines(string(expanded(t, release, "zpool-events-H.txt"))) {
				_, class, _ := strings.Cut(strings.TrimSpace(line), "\t")
				classes = append(classes, class)
			}
			slices.Sort(classes)
			if classes = slices.Compact(classes); len(classes) != wantClasses {
				t.Errorf("%d classes, want %d: %q", len(classes), wantClasses, classes)
			}
		})
	}
}

// The verdicts are those of zpool events 2.1.11.
func TestIsPoolName(t *testing.T) {
	for name, want := range map[string]bool{
		"nosuch": true, "c0t0d0": true, "c99": true, "a b": true, "logx": true, "record": true, strings.Repeat("a", 239): true,
		"": false, "-": false, "0tank": false, "a/b": false, "a@b": false, "a#b": false, "a%b": false,
		"mirror": false, "mirrorx": false, "mirror-0": false, "raidz": false, "raidz1x": false, "draid1": false,
		"spare": false, "sparex": false, "log": false, strings.Repeat("a", 240): false,
	} {
		if got := isPoolName(name); got != want {
			t.Errorf("%q: got %t", name, got)
		}
	}
}
