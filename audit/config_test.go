package audit

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kmodaudit/kmodaudit/headerinstall"
)

func TestReadConfigDefaults(t *testing.T) {
	c, err := ReadConfig(filepath.Join(t.TempDir(), ConfigName), false)
	if err != nil {
		t.Fatal(err)
	}
	if c.Out != "out" || c.Headers.Source[0] != "./zfs/include" || c.Stack.Build != "./zfs" || c.Stack.FrameLimitBytes != 2048 || c.Headers.Strip != nil {
		t.Errorf("defaults: %+v", c)
	}
}

func TestReadConfigErrors(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"syntax":           {"out = \n", ConfigName + ":1:"},
		"unknown key":      {"[stack]\nlimits = 3\n", ConfigName + ":2:1: unknown key stack.limits"},
		"wrong type":       {"[stack]\nframe_limit_bytes = \"many\"\n", ConfigName + ":2:"},
		"negative":         {"[stack]\nframe_limit_bytes = -1\n", "above 0"},
		"bundled in part":  {"[bundled]\ndir = \"x\"\n", "bundled needs"},
		"list of numbers":  {"[headers]\nsource = [1]\n", ConfigName},
		"invalid encoding": {"out = \"\xff\"\n", ConfigName},
	} {
		dir := project(t, map[string]string{ConfigName: test.text})
		if _, err := ReadConfig(filepath.Join(dir, ConfigName), true); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
	if _, err := ReadConfig(filepath.Join(t.TempDir(), "none.toml"), true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a required file that is missing: %v", err)
	}
}

func TestHeaderProfiles(t *testing.T) {
	dir := project(t, map[string]string{ConfigName: `
[headers]
source = "./src/include"
exclude = [{match = "a.h", reason = "old"}, {match = "b.h", reason = "older"}]

[headers.profile.devel]
strip = 1
include = "**/*.h"
prefix = "/usr/src/m"
preserve_mtime = true
trust_mtime = true
system = "/usr/include"

[[headers.profile.devel.map]]
from = "os/linux"
to = "."

[[headers.profile.devel.extra]]
source = "m_config.h"
to = "6.1/m_config.h"
`})
	c := read(t, dir)
	plain, err := c.Profile("")
	if err != nil {
		t.Fatal(err)
	}
	devel, err := c.Profile("devel")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(headerinstall.Config{
		Root: "r", Sources: []string{"./src/include"},
		Exclude: []headerinstall.Exclusion{{Match: "a.h", Reason: "old"}, {Match: "b.h", Reason: "older"}},
	}, plain.InstallConfig("r")); diff != "" {
		t.Errorf("[headers] (-want +got):\n%s", diff)
	}
	// It stands alone: its sources are the default ones, and it has none of the rules of [headers].
	if diff := cmp.Diff(headerinstall.Config{
		Root: "r", Sources: []string{"./zfs/include"}, Strip: new(1), Include: []string{"**/*.h"},
		Map:         []headerinstall.Mapping{{From: "os/linux", To: "."}},
		Extra:       []headerinstall.Extra{{Source: "m_config.h", To: "6.1/m_config.h"}},
		KeepModTime: true, TrustModTime: true,
	}, devel.InstallConfig("r")); diff != "" {
		t.Errorf("[headers.profile.devel] (-want +got):\n%s", diff)
	}
	if devel.Prefix != "/usr/src/m" || devel.System[0] != "/usr/include" {
		t.Errorf("prefix %q, system %q", devel.Prefix, devel.System)
	}
	if _, err := c.Profile("user"); err == nil || !strings.HasSuffix(err.Error(), ConfigName+": it has devel") {
		t.Errorf("a profile that is not there: %v", err)
	}
	if _, err := read(t, t.TempDir()).Profile("user"); err == nil || !strings.Contains(err.Error(), "add a table [headers.profile.user]") {
		t.Errorf("a profile where there is none: %v", err)
	}
}

func TestProfileOver(t *testing.T) {
	base := HeaderProfile{
		Source: Patterns{"a"}, Strip: new(3), Prefix: "/base", System: Patterns{"s"},
		HeaderRules: HeaderRules{
			Include: Patterns{"i"}, Exclude: []headerinstall.Exclusion{{Match: "e"}}, Map: []headerinstall.Mapping{{From: "m"}},
			Extra: []headerinstall.Extra{{Source: "x"}}, PreserveModTime: new(true), TrustModTime: new(true),
		},
	}
	if diff := cmp.Diff(base, HeaderProfile{}.Over(base)); diff != "" {
		t.Errorf("nothing over it (-want +got):\n%s", diff)
	}
	given := HeaderProfile{
		Source: Patterns{"b"}, Strip: new(0), Prefix: "/given",
		HeaderRules: HeaderRules{
			Include: Patterns{"j"}, Exclude: []headerinstall.Exclusion{{Match: "f"}}, Map: []headerinstall.Mapping{{From: "n"}},
			Extra: []headerinstall.Extra{{Source: "y"}}, PreserveModTime: new(false), TrustModTime: new(false),
		},
	}
	want := HeaderProfile{
		Source: Patterns{"b"}, Strip: new(0), Prefix: "/given", System: Patterns{"s"},
		HeaderRules: HeaderRules{
			Include: Patterns{"j", "i"}, Exclude: []headerinstall.Exclusion{{Match: "f"}, {Match: "e"}},
			Map:   []headerinstall.Mapping{{From: "n"}, {From: "m"}},
			Extra: []headerinstall.Extra{{Source: "y"}, {Source: "x"}}, PreserveModTime: new(false), TrustModTime: new(false),
		},
	}
	if diff := cmp.Diff(want, given.Over(base)); diff != "" {
		t.Errorf("flags over a profile (-want +got):\n%s", diff)
	}
}

// A rule that is not whole is refused at its place.
func TestHeaderRulesErrors(t *testing.T) {
	const whole = "[[headers.exclude]]\nmatch = \"a\"\nreason = \"b\"\n"
	for name, test := range map[string]struct{ text, want string }{
		"no reason":      {whole + "[[ headers.\"exclude\" ]]\nmatch = \"os/**\"\n", ConfigName + `:4: rule 2 of headers.exclude has no reason; say why "os/**" is not`},
		"blank reason":   {"[headers]\nexclude = [{match = \"os/**\", reason = \" \"}]\n", ConfigName + ": rule 1 of headers.exclude has no reason"},
		"no match":       {whole + "[[headers.exclude]]\nreason = \"b\"\n", ConfigName + ":4: rule 2 of headers.exclude has no match"},
		"of a profile":   {whole + "[[headers.profile.p.exclude]]\nmatch = \"a\"\n", ConfigName + ":4: rule 1 of headers.profile.p.exclude has no reason"},
		"map from":       {"[[headers.map]]\nto = \"a\"\n", ConfigName + ":1: rule 1 of headers.map needs from and to"},
		"map to":         {"[[headers.map]]\nfrom = \"a\"\n", ConfigName + ":1: rule 1 of headers.map needs from and to"},
		"extra":          {"[[headers.extra]]\nto = \"a\"\n", ConfigName + ":1: rule 1 of headers.extra has no source"},
		"unknown key":    {"[[headers.exclude]]\nmatch = \"a\"\nwhy = \"b\"\n", ConfigName + ":3:1: unknown key headers.exclude.why"},
		"reason of many": {"[[headers.exclude]]\nreason = [\"a\"]\n", ConfigName + ":2:"},
	} {
		dir := project(t, map[string]string{ConfigName: test.text})
		if _, err := ReadConfig(filepath.Join(dir, ConfigName), true); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add("[headers]\nsource = [\"./*/include\"]\nstrip = 2\n[[stack.waiver]]\nfile = \"a\"\n")
	f.Add("[[headers.exclude]]\nmatch = \"os/**\"\n[headers.profile.linux]\nmap = [{from = \"a\", to = \"b\"}]\n[[headers.profile.linux.extra]]\n")
	f.Fuzz(func(t *testing.T, text string) {
		dir := project(t, map[string]string{ConfigName: text})
		if c, err := ReadConfig(filepath.Join(dir, ConfigName), true); err == nil && c.Stack.FrameLimitBytes <= 0 {
			t.Errorf("a limit of %d was accepted", c.Stack.FrameLimitBytes)
		}
	})
}
