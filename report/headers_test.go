package report

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/headerinstall"
	"github.com/kmodaudit/kmodaudit/headerinstall/closure"
)

func TestHeaderPlan(t *testing.T) {
	root := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	config := headerinstall.Config{Root: root, Sources: []string{"./*/include"}, Dest: filepath.Join(root, "include")}
	write("m/include/b.h", "b")
	if _, err := headerinstall.Update(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(root, "m/include/b.h")); err != nil {
		t.Fatal(err)
	}
	write("include/b.h", "changed")
	write("m/include/a.h", "a")
	write("n/include/a.h", "a")
	plan, err := headerinstall.NewPlan(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	plan.Config.Dest = "include"
	var got strings.Builder
	if err := HeaderPlan(plan).Write(&got, TableFormat, 0); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(got.String(), "\n")
	for i, want := range []string{
		"why",
		"a.h          0644     1  " + digestOf("a") + "  new     nothing is there; 1 more source of the same content",
		"b.h          0644     1  " + digestOf("b") + "  kept    no source leads to it any more, but it was changed after it was installed",
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

func digestOf(content string) string {
	return headerinstall.Digest(sha256.Sum256([]byte(content))).String()
}

func TestHeaderPlanFindings(t *testing.T) {
	plan := headerinstall.Plan{
		Config:   headerinstall.Config{Dest: "include"},
		Excluded: []headerinstall.Excluded{{Source: "./m/os/b.h", Match: "os/**", Reason: "of another\x1b system"}},
		Findings: []headerinstall.Finding{{Kind: headerinstall.UnusedRule, Subject: `map "a" to "b"`, Message: "matches nothing", Remedy: "remove it"}},
	}
	var got strings.Builder
	if err := HeaderPlan(plan).Write(&got, TableFormat, 0); err != nil {
		t.Fatal(err)
	}
	want := `
excluded
source      by     because
./m/os/b.h  os/**  of another. system

findings
finding      of              what             remedy
unused-rule  map "a" to "b"  matches nothing  remove it
into include: nothing; 1 excluded; 1 finding
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	got.Reset()
	if err := InstalledHeaders(plan).Write(&got, TableFormat, 0); err != nil {
		t.Fatal(err)
	}
	want = `findings
finding      of              what             remedy
unused-rule  map "a" to "b"  matches nothing  remove it
0 headers, 0 B, installed into include: nothing; 1 excluded; 1 finding
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("installation (-want +got):\n%s", diff)
	}
	// A list is there, and empty, when there is nothing in it.
	got.Reset()
	if err := HeaderPlan(headerinstall.Plan{}).Write(&got, JSONFormat, 0); err != nil {
		t.Fatal(err)
	}
	for _, list := range []string{`"entries": []`, `"excluded": []`, `"findings": []`} {
		if !strings.Contains(got.String(), list) {
			t.Errorf("no %s in %s", list, got.String())
		}
	}
}

func TestHeaderCheck(t *testing.T) {
	var got strings.Builder
	if err := HeaderCheck(CheckedHeaders{
		Destination: "include",
		Rules:       []headerinstall.Finding{{Kind: headerinstall.ForgottenHeader, Subject: "./m/a.h", Message: "is forgotten", Remedy: "include it"}},
		Tree: headerinstall.Report{Headers: 3, Deviations: []headerinstall.Deviation{
			{Destination: "b.h", Kind: headerinstall.MissingFile, Detail: "is not there"},
		}},
		Outdated: []headerinstall.Entry{{File: headerinstall.File{Destination: "c.h", Source: "./m/c.h"}, Action: headerinstall.Changed}},
		Includes: closure.Result{Missing: []closure.Missing{{Include: "b.h", Includers: []closure.Use{{File: "c.h", Line: 2}, {File: "d.h", Line: 3}}}}},
	}).Write(&got, TableFormat, 0); err != nil {
		t.Fatal(err)
	}
	want := `findings
finding           of       what          remedy
forgotten-header  ./m/a.h  is forgotten  include it

not as installed
destination  kind     what
b.h          missing  is not there

not as the sources are
destination  action   source
c.h          changed  ./m/c.h

includes that lead nowhere
include  included at  found instead at
b.h      c.h:2
b.h      d.h:3
3 headers in include checked: 1 finding of the rules, 1 not as installed, 1 not as the sources are, 1 include missing
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("check (-want +got):\n%s", diff)
	}
}

func TestTerminal(t *testing.T) {
	if diff := cmp.Diff("+#define\tA 1\n-.[31mred.\n", Terminal("+#define\tA 1\n-\x1b[31mred\r\n")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
