package docs_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
	"github.com/kmodaudit/kmodaudit/report"
)

// What the commands write of real builds is what the schema says.
func TestStackSchema(t *testing.T) {
	const (
		gcc       = "../testdata/small-module/gcc"
		clang     = "../testdata/small-module/clang"
		recording = "../testdata/openzfs-2.1.11/su-ci.tar.zst"
	)
	config := filepath.Join(t.TempDir(), "kmodaudit.toml")
	if err := os.WriteFile(config, []byte(`
[stack]
frame_limit_bytes = 300
path_limit_bytes = 1000
entry = "none"
[[stack.waiver]]
function = "zfs_HUF_*"
ceiling_bytes = 400
reason = "tested"
expires = "2020-01-01"
`), 0o644); err != nil {
		t.Fatal(err)
	}
	snapshot := filepath.Join(t.TempDir(), "snapshot.json")
	if err := cli.StackSnapshot(discard, cli.SnapshotFlags{Paths: []string{gcc}, File: snapshot}); err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]func(cli.Output) error{
		"frames": func(out cli.Output) error {
			return cli.StackFrames(out, cli.StackFlags{Paths: []string{gcc, clang}, Format: report.JSONFormat, Source: cli.AllSources})
		},
		"paths": func(out cli.Output) error {
			return cli.StackPaths(out, cli.StackFlags{Paths: []string{recording}, Format: report.JSONFormat, Top: 5})
		},
		"entries": func(out cli.Output) error {
			return cli.StackPaths(out, cli.StackFlags{Paths: []string{gcc}, Format: report.JSONFormat, EntryPoints: true})
		},
		"check": func(out cli.Output) error {
			return cli.StackCheck(out, cli.StackFlags{Paths: []string{recording}, Format: report.JSONFormat, Config: config, Baseline: snapshot})
		},
		"diff": func(out cli.Output) error {
			return cli.StackDiff(out, cli.DiffFlags{Old: snapshot, New: recording, Format: report.JSONFormat})
		},
		"snapshot": func(out cli.Output) error {
			text, err := os.ReadFile(snapshot)
			if err != nil {
				return err
			}
			_, err = out.Stdout.Write(text)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			compiler := jsonschema.NewCompiler()
			compiler.AssertFormat()
			schema, err := compiler.Compile("stack.schema.json#/$defs/" + name)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			var exit *cli.ExitError
			if err := run(cli.Output{Stdout: &out, Stderr: io.Discard}); err != nil && !(errors.As(err, &exit) && exit.Code == 1) {
				t.Fatal(err)
			}
			if err := schema.Validate(instance(t, out.Bytes())); err != nil {
				t.Error(err)
			}
		})
	}
}
