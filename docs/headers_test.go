package docs_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kmodaudit/kmodaudit/audit"
	"github.com/kmodaudit/kmodaudit/cmd/kmodaudit/cli"
)

// shownFile is a code block whose first line before it names the file that it is: a line "`NAME`:".
var shownFile = regexp.MustCompile("(?m)^`([^`\n]+)`:\n\n```[a-z.]*\n((?s:.*?)\n)```$")

// The project that the how-to shows is the one that a test of the targets builds.
func TestHeadersShowsTheProject(t *testing.T) {
	text, err := os.ReadFile("headers.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	for _, m := range shownFile.FindAllStringSubmatch(string(text), -1) {
		shown[m[1]] = m[2]
	}
	for _, name := range []string{"go.mod", "magefile.go", audit.ConfigName} {
		want, err := os.ReadFile(filepath.Join("../testdata/module-project", name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), shown[name]); diff != "" {
			t.Errorf("headers.md shows another %s (-file +shown):\n%s", name, diff)
		}
	}
}

// discard is for results that a test does not look at.
var discard = cli.Output{Stdout: io.Discard, Stderr: io.Discard}

// Manifests of real installations are what the schema says, with and without times.
func TestManifestSchema(t *testing.T) {
	schema := compiled(t)
	for name, given := range map[string]audit.HeaderProfile{
		"one root":       {Source: audit.Patterns{"./zfs/include"}},
		"several roots":  {Source: audit.Patterns{"./*/include"}},
		"trusted mtimes": {Source: audit.Patterns{"./zfs/include"}, HeaderRules: audit.HeaderRules{TrustModTime: new(true)}},
	} {
		t.Run(name, func(t *testing.T) {
			manifest := installed(t.Context(), t, given)
			if times := bytes.Contains(manifest, []byte(`"source_mtime"`)); times != (given.TrustModTime != nil) {
				t.Errorf("the manifest has mtimes: %v", times)
			}
			if err := schema.Validate(instance(t, manifest)); err != nil {
				t.Error(err)
			}
		})
	}
}

// The manifest that the formats show is cut from that of the bundled tree.
func TestFormatsShowsAManifest(t *testing.T) {
	text, err := os.ReadFile("formats.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n## headers.json\n")
	_, rest, _ = strings.Cut(rest, "\n```json\n")
	shown, _, _ := strings.Cut(rest, "\n```")
	if err := compiled(t).Validate(instance(t, []byte(shown))); err != nil {
		t.Fatal(err)
	}
	real := string(installed(t.Context(), t, audit.HeaderProfile{Source: audit.Patterns{"./zfs/include"}}))
	for line := range strings.Lines(shown) {
		if !strings.Contains(real, strings.TrimRight(line, "\n")) {
			t.Errorf("the manifest has no line %q", line)
		}
	}
}

// The schema refuses what no installation writes.
func TestManifestSchemaRefuses(t *testing.T) {
	schema := compiled(t)
	const good = `{"format":"headers/1","strip":3,"files":[{"destination":"sys/a.h","source":"./zfs/include/sys/a.h","size":1,"mode":"0644",` +
		`"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}]}`
	if err := schema.Validate(instance(t, []byte(good))); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"format":         {"headers/1", "headers/2"},
		"absolute":       {`"sys/a.h"`, `"/sys/a.h"`},
		"outside":        {`"sys/a.h"`, `"../a.h"`},
		"outside within": {`"sys/a.h"`, `"sys/../../a.h"`},
		"unclean":        {`"sys/a.h"`, `"sys//a.h"`},
		"directory":      {`"sys/a.h"`, `"sys/"`},
		"control":        {`"sys/a.h"`, `"sys/\na.h"`},
		"negative size":  {`"size":1`, `"size":-1`},
		"mode":           {"0644", "644"},
		"digest":         {"e3b0", "E3B0"},
		"unknown field":  {`"size":1`, `"size":1,"owner":"root"`},
		"time":           {`"size":1`, `"size":1,"mtime":"1700000000.5","source_mtime":"1700000000.000000000"`},
	} {
		bad := strings.Replace(good, change[0], change[1], 1)
		if err := schema.Validate(instance(t, []byte(bad))); err == nil {
			t.Errorf("%s: accepted %s", name, bad)
		}
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("headers-manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func instance(t *testing.T, text []byte) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// installed returns the manifest of an installation of the bundled tree.
func installed(ctx context.Context, t *testing.T, given audit.HeaderProfile) []byte {
	t.Helper()
	bundled, err := filepath.Abs("../testdata/openzfs-2.1.11")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(bundled)
	stage := t.TempDir()
	manifest := filepath.Join(stage, "headers.json")
	if err := cli.HeadersInstall(ctx, discard, cli.HeadersFlags{
		HeaderTree: cli.HeaderTree{DestDir: stage, Manifest: manifest}, Given: given,
	}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
