package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/measure"
)

func walls(ms ...int) (samples []measure.Sample) {
	for _, n := range ms {
		samples = append(samples, measure.Sample{Wall: time.Duration(n) * time.Millisecond, CPU: time.Millisecond, Peak: int64(n) * 1e5})
	}
	return samples
}

func aTrial() trial {
	bound := walls(20, 40)
	bound[1].Bound = true
	return trial{
		FileSystem: "tmpfs", Rounds: 2, Tree: extent{Headers: 3000, Directories: 150, Bytes: 18_500_000, Largest: 512_000},
		Rows: []row{
			{kmodauditName, [scenarios][]measure.Sample{walls(15, 30), walls(1500, 2500), walls(7, 9)}},
			{cpName, [scenarios][]measure.Sample{bound, walls(20, 40), walls(20, 40)}},
		},
	}
}

func TestTables(t *testing.T) {
	large := aTrial()
	large.Rows[0].samples[first] = walls(4000)
	p := page{Trials: []trial{aTrial()}, Memory: []trial{aTrial(), large}}
	tests := []struct{ name, got, want string }{
		{"title", p.Trials[0].Title() + ": " + p.Trials[0].Size(), "3,000 headers on tmpfs, 2 rounds: 18.5 MB in 150 directories"},
		{"all", p.Trials[0].Table(), "" +
			"| tool | first | CPU | unchanged | CPU | one changed | CPU | peak MB |\n" +
			"| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n" +
			"| `kmodaudit headers install` | 15.0 / 22.5 | 1.0 | 1,500 / 2,000 | 1.0 | 7.0 / 8.0 | 1.0 | 250.0 |\n" +
			"| `cp -r` | 20.0 / 30.0 | 1.0 | 20.0 / 30.0 | 1.0 | 20.0 / 30.0 | 1.0 | ≤ 4.0 |\n"},
		{"goals", p.GoalTable(), "" +
			"| scenario, tool and peer | headers | on | median | range | goal |  |\n" +
			"| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n" +
			"| first: `kmodaudit headers install` : `cp -r` | 3,000 | tmpfs | 0.75 | 0.75–0.75 | ≤ 1.00 | met |\n" +
			"| unchanged: `kmodaudit headers install` : `rsync -a --checksum` | 3,000 | tmpfs |  |  | ≤ 0.60 | not measured |\n" +
			"| unchanged: `kmodaudit headers install --trust-mtime` : `cp -ru` | 3,000 | tmpfs |  |  | ≤ 1.00 | not measured |\n"},
		{"memory", p.MemoryTable(), "" +
			"| tree | MB | largest header, MB | first | unchanged | one changed | to the first tree |  |\n" +
			"| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n" +
			"| 3,000 headers | 18.5 | 0.5 | 3.0 | 250.0 | 0.9 | 1.00 | met |\n" +
			"| 3,000 headers | 18.5 | 0.5 | 400.0 | 250.0 | 0.9 | 1.60 | missed |\n"},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, test.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// What was not measured is said.
func TestPageSaysWhatIsMissing(t *testing.T) {
	p := page{Trials: []trial{aTrial()}, Memory: []trial{aTrial()}, Absent: peers()[6:]}
	text, err := p.markdown()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"so not measured: `meson install`", "the smaller trees only", "### 3,000 headers on tmpfs, 2 rounds\n\n18.5 MB"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if bytes.Contains(text, []byte("\n\n\n")) || !bytes.HasSuffix(text, []byte("|\n")) {
		t.Errorf("the page has lines too many:\n%s", text)
	}
}

func TestOptions(t *testing.T) {
	for args, want := range map[string]string{
		"":                              "no headers given",
		"-tree include":                 "no place to measure on",
		"-tree include -on . -rounds 0": "cannot run 0 rounds",
		"-tree include -on . more":      `unexpected argument "more"`,
	} {
		var stderr strings.Builder
		_, err := parseOptions(strings.Fields(args), &stderr)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
}
