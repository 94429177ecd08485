package audit

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
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
		"unknown key":      {"[stack]\nlimit = 3\n", ConfigName + ":2:1: unknown key stack.limit"},
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

func FuzzReadConfig(f *testing.F) {
	f.Add("[headers]\nsource = [\"./*/include\"]\nstrip = 2\n[[stack.waiver]]\nfile = \"a\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		dir := project(t, map[string]string{ConfigName: text})
		if c, err := ReadConfig(filepath.Join(dir, ConfigName), true); err == nil && c.Stack.FrameLimitBytes <= 0 {
			t.Errorf("a limit of %d was accepted", c.Stack.FrameLimitBytes)
		}
	})
}
