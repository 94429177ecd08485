package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/measure"
	"github.com/kmodaudit/kmodaudit/stackcheck"
)

func TestMakeTrees(t *testing.T) {
	build := t.TempDir()
	for name, content := range map[string]string{
		"m.su": "/src/m.c:1:5:f\t8\tstatic\nm.c:9:5:g\t16\tstatic\n", "empty.su": "", "m.ci": "graph: { title: \"m.c\"\n}\n", "m.o": "not read",
	} {
		if err := os.WriteFile(filepath.Join(build, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	made, err := makeTrees(build, t.TempDir(), 250)
	if err != nil {
		t.Fatal(err)
	}
	if made.build.files != 3 || made.large.files != 250 || made.large.rows != 250*rowsPerFile {
		t.Errorf("made %+v", made)
	}
	b, err := stackcheck.Read(filepath.Join(made.large.dir, "d002", "u00249.su"))
	if err != nil || len(b.Functions) != rowsPerFile {
		t.Errorf("the last file has %d frames, error %v", len(b.Functions), err)
	}
}

func TestMakeTreesWithoutRows(t *testing.T) {
	if _, err := makeTrees(t.TempDir(), t.TempDir(), 1); err == nil || !strings.Contains(err.Error(), "-fstack-usage") {
		t.Errorf("error %v", err)
	}
}

// A tool that does not read all of its input wins no contest.
func TestCheckRefusesWhatReadsTooLittle(t *testing.T) {
	c := contest{Tool: "echo", tool: []string{"echo", "of 10 frames"}, shows: " of 1,000 frames"}
	if err := c.check(context.Background(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "not run as it should be") {
		t.Errorf("error %v", err)
	}
}

func samples(ms ...int) (all []measure.Sample) {
	for _, n := range ms {
		all = append(all, measure.Sample{Wall: time.Duration(n) * time.Millisecond, CPU: time.Duration(2*n) * time.Millisecond, Peak: 1e6})
	}
	return all
}

func TestTables(t *testing.T) {
	p := page{Rounds: 2, Results: []result{
		{contest{Name: "build", Tool: "kmodaudit", Peer: "cat", wall: 150 * time.Millisecond}, samples(100, 160), samples(10, 10)},
		{contest{Name: "m.ko", Tool: "kmodaudit", Peer: "a | b", limit: 0.02, binary: true}, samples(10, 30), samples(1000, 1000)},
		{contest{Name: "tree", Tool: "kmodaudit", Peer: "cat", limit: 2}, samples(30, 20), samples(10, 10)},
		{contest{Name: "close", Tool: "kmodaudit", Peer: "cat", limit: 2}, samples(2015, 2015), samples(1000, 1000)},
	}}
	want := "" +
		"| input, tool and peer | median | range | CPU | goal |  |\n" +
		"| --- | ---: | ---: | ---: | ---: | ---: |\n" +
		"| build: `kmodaudit` : `cat` | 13.00 | 10.00–16.00 | 13.00 | ≤ 150ms | met |\n" +
		"| m.ko: `kmodaudit` : `a \\| b` | 1/50 | 1/100–1/33 | 1/50 | ≤ 1/50 | met |\n" +
		"| tree: `kmodaudit` : `cat` | 2.50 | 2.00–3.00 | 2.50 | ≤ 2.00 | missed |\n" +
		"| close: `kmodaudit` : `cat` | 2.02 | 2.02–2.02 | 2.02 | ≤ 2.00 | missed |\n"
	if diff := cmp.Diff(want, p.Ratios()); diff != "" {
		t.Errorf("ratios (-want +got):\n%s", diff)
	}
	text, err := p.markdown()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"objdump -d", "From memory only", "| tree: `kmodaudit` | 20.0 / 25.0 | 50.0 | 1.0 |\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
	p.Results = slices.Delete(p.Results, 1, 2)
	if text, err = p.markdown(); err != nil || !strings.Contains(string(text), "were not given, so not measured") {
		t.Errorf("error %v; the page does not say what is missing:\n%s", err, text)
	}
}

func TestOptions(t *testing.T) {
	for args, want := range map[string]string{
		"":                                     "no build given",
		"-build b -rounds 0":                   "cannot run 0 rounds",
		"-build b more":                        `unexpected argument "more"`,
		"-build b -checkstack= -object zfs.ko": "no checkstack.pl found",
	} {
		var stderr strings.Builder
		_, err := parseOptions(strings.Fields(args), &stderr)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", args, err, want)
		}
	}
}
