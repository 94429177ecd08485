package targets_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A moduleProject is a copy of the example project, with its own magefile, below a directory of its own.
type moduleProject struct {
	dir string
	env []string
}

// copyProject copies the example out of the repository, and builds its targets with nothing but the modules that this
// repository's own build has fetched.
func copyProject(t *testing.T) moduleProject {
	t.Helper()
	repository, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	p := moduleProject{dir: filepath.Join(t.TempDir(), "mymod")}
	p.env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOSUMDB=off", "GOWORK=off", "DESTDIR=",
		"MAGEFILE_CACHE="+t.TempDir(), "MAGEFILE_HASHFAST=1")
	if err := os.CopyFS(p.dir, os.DirFS(filepath.Join(repository, "testdata", "module-project"))); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(repository, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "go.sum"), sums, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := p.command(t, "go", "mod", "edit", "-replace=github.com/kmodaudit/kmodaudit="+repository).CombinedOutput(); err != nil {
		t.Fatalf("pointing the project at this repository: %v\n%s", err, out)
	}
	return p
}

func (p moduleProject) command(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
	cmd.Dir, cmd.Env = p.dir, p.env
	return cmd
}

// mage runs a target, and fails unless it ends with that status and prints those texts.
func (p moduleProject) mage(t *testing.T, status int, args, want []string) {
	t.Helper()
	cmd := p.command(t, append([]string{"go", "tool", "mage"}, args...)...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != status {
		t.Errorf("mage %s: exit status %d, want %d\n%s", strings.Join(args, " "), got, status, out)
	}
	for _, text := range want {
		if !strings.Contains(string(out), text) {
			t.Errorf("mage %s does not print %q:\n%s", strings.Join(args, " "), text, out)
		}
	}
}

func (p moduleProject) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (p moduleProject) remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(p.dir, name)); err != nil {
		t.Fatal(err)
	}
}

// The example project's own magefile installs and checks its headers, and the check fails for each thing that can
// be wrong with them.
func TestModuleProject(t *testing.T) {
	p := copyProject(t)
	install := []string{"headers:install", "-profile=devel", "-destdir=stage"}
	check := []string{"headers:check", "-profile=devel", "-destdir=stage"}
	const tree = "stage/usr/src/mymod-1.0/include/"

	p.mage(t, 0, []string{"-l"}, []string{"headers:install", "headers:check", "audit"})
	p.mage(t, 2, check, []string{"install the headers first"})
	p.mage(t, 0, install, []string{"7 headers, ", "7 new; 2 excluded"})
	p.mage(t, 0, check, []string{"7 headers in stage/usr/src/mymod-1.0/include checked: 0 findings of the rules, " +
		"0 not as installed, 0 not as the sources are, 0 includes missing"})

	p.write(t, tree+"sys/mymod_os.h", "/* tampered with */\n")
	p.mage(t, 1, check, []string{"sys/mymod_os.h  changed  has other content", "1 not as installed, 0 not as the sources are"})
	p.mage(t, 0, install, []string{"1 changed, 6 same"})
	p.mage(t, 0, check, nil)

	p.remove(t, tree+"linux/mymod_compat.h")
	p.mage(t, 1, check, []string{"linux/mymod_compat.h  missing", "sys/mymod_ksyms.h:6"})
	p.mage(t, 0, install, []string{"1 new, 6 same"})

	p.write(t, "include/mymod.h", "#include <sys/gone.h>\n")
	p.mage(t, 1, check, []string{"mymod.h      changed  ./include/mymod.h", "0 not as installed, 1 not as the sources are"})
	p.mage(t, 0, install, nil)
	p.mage(t, 1, check, []string{"sys/gone.h  mymod.h:1", "1 include missing"})

	p.remove(t, "include/os/freebsd/mymod/sys/mymod_os.h")
	p.mage(t, 1, check, []string{"unused-rule", "os/freebsd/**", "1 finding of the rules"})
}

// Without a profile the table [headers] holds, and DESTDIR is where make would have it.
func TestModuleProjectDefaults(t *testing.T) {
	p := copyProject(t)
	p.env = append(p.env, "DESTDIR=stage")
	p.mage(t, 0, []string{"headers:install"}, []string{"2 headers, ", "installed into stage/usr/include/mymod: 2 new; 5 excluded"})
	p.mage(t, 0, []string{"headers:check"}, []string{"2 headers in stage/usr/include/mymod checked"})
	p.mage(t, 0, []string{"headers:install", "-prefix=/opt/mymod", "-manifest=lists/mymod.json"}, []string{"installed into stage/opt/mymod"})
	p.mage(t, 0, []string{"headers:check", "-prefix=/opt/mymod", "-manifest=lists/mymod.json"}, nil)
	p.write(t, "kmodaudit.toml", "[headers]\nsource = \"./include\"\nstrip = 2\ninclude = \"*.h\"\n")
	p.mage(t, 1, []string{"headers:install"}, []string{"forgotten-header  ./include/sys/fs/mymod.h"})
	p.mage(t, 1, []string{"headers:check"}, []string{"forgotten-header  ./include/sys/fs/mymod.h", "0 not as installed, 0 not as the sources are, "})
}
