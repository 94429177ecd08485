package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kmodaudit": main})
}

// A command that is made alone is the one that is found among all.
func TestNamedCommands(t *testing.T) {
	all := root(nil)
	for _, group := range append(all.Commands(), all) {
		for _, cmd := range group.Commands() {
			args := strings.Fields(strings.TrimPrefix(cmd.CommandPath(), all.Name()))
			alone, rest, err := root(args).Find(args)
			if err != nil || len(rest) > 0 {
				t.Errorf("%q: rest %q, error %v", args, rest, err)
			}
			if diff := cmp.Diff(cmd.UsageString(), alone.UsageString()); diff != "" {
				t.Errorf("usage of %q (-among all +alone):\n%s", args, diff)
			}
		}
	}
}

func TestScripts(t *testing.T) {
	repository, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("REPOSITORY", repository+"/../..")
			return nil
		},
		RequireExplicitExec: true,
	})
}
