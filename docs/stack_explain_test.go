package docs_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
	"github.com/kmodaudit/kmodaudit/report"
)

// The examples of the small module print what the document shows.
func TestStackExplainShowsWhatIsPrinted(t *testing.T) {
	text, err := os.ReadFile("stack-explain.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("..")
	shown := strings.Split(string(text), "\n```console\n")[1:]
	commands := []struct {
		line  string
		print func(cli.Output) error
	}{
		{"$ kmodaudit stack explain parent testdata/small-module/inlined", func(out cli.Output) error {
			return cli.StackExplain(out, cli.ExplainFlags{Paths: []string{"testdata/small-module/inlined"}, Function: "parent", Format: report.TableFormat, Top: 12})
		}},
		{"$ kmodaudit stack advise --limit 256 testdata/small-module/inlined", func(out cli.Output) error {
			return cli.StackAdvise(out, cli.ExplainFlags{Paths: []string{"testdata/small-module/inlined"}, Limit: 256, Format: report.TableFormat, Top: 10})
		}},
	}
	if len(shown) != len(commands) {
		t.Fatalf("%d examples, want %d", len(shown), len(commands))
	}
	for i, command := range commands {
		want, _, _ := strings.Cut(shown[i], "\n```")
		var got, beside strings.Builder
		if err := command.print(cli.Output{Stdout: &got, Stderr: &beside}); err != nil || beside.Len() > 0 {
			t.Errorf("%s: error %v, %s", command.line, err, beside.String())
		}
		if diff := cmp.Diff(want, command.line+"\n"+strings.TrimSuffix(got.String(), "\n")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}
