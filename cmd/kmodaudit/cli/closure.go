package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/kmodaudit/kmodaudit/headerinstall/closure"
	"github.com/kmodaudit/kmodaudit/headerinstall/compile"
	"github.com/kmodaudit/kmodaudit/report"
)

// ClosureFlags are the flags of the closure command.
type ClosureFlags struct {
	Tree      string   // the installed directory
	System    []string // directories that are searched after it
	Consumers []string // directories of source code that includes it
	Format    report.Format

	Compile  bool
	Language compile.Language
	Compiler string   // empty for cc or c++
	Flags    []string // of a consumer
	PC       string   // .pc file with more of them; empty for none
	Sysroot  string   // directory that the paths of PC lie below, as when they were staged; empty for /
	Excuses  string   // file; empty for none
}

// HeadersClosure prints what a header tree includes and lacks, and with Compile what of it does
// not compile.
func HeadersClosure(ctx context.Context, out Output, f ClosureFlags) error {
	// What the compile check is to read is read first, so that a wrong name costs nothing.
	config, err := f.compileConfig(ctx)
	if err != nil {
		return cannot(err)
	}
	result, err := closure.Check(ctx, closure.Config{
		Tree: closure.DirFS(f.Tree), System: dirs(f.System), Consumers: dirs(f.Consumers),
	})
	if err != nil {
		return cannot(fmt.Errorf("checking the includes of %s: %w", f.Tree, err))
	}
	var compiled *compile.Result
	unread := unreadIncludes(f.Tree, result)
	if f.Compile {
		config.Progress = report.NewProgress(out.Stderr, columns(out.Stderr)).Show
		checked, err := compile.Check(ctx, config)
		if err == nil {
			err = uncompiled(f.Tree, checked)
		}
		compiled, unread = &checked, errors.Join(unread, err)
	}
	if err := out.write(report.Closure(result, compiled), f.Format); err != nil {
		return err
	}
	if unread != nil {
		return cannot(unread)
	}
	findings := len(result.Missing)
	if compiled != nil {
		findings += len(compiled.Failures) + len(compiled.Unneeded)
	}
	return found(findings)
}

// unreadIncludes is the error of what could not be read or understood; nil if all was.
func unreadIncludes(tree string, r closure.Result) (err error) {
	for _, e := range r.Errors {
		err = errors.Join(err, e)
	}
	if n := len(r.NotRead); n > 0 {
		err = errors.Join(err, fmt.Errorf("checking the includes of %s: %s: %s; make it a readable file, or remove it (%d in all)",
			tree, r.NotRead[0].File, r.NotRead[0].Reason, n))
	}
	return err
}

// uncompiled is the error of headers of which it is not known whether they compile; nil if there is none.
func uncompiled(tree string, r compile.Result) error {
	n := 0
	var first compile.NotChecked
	for _, header := range r.NotChecked {
		if header.OtherLanguage {
			continue
		}
		if n++; n == 1 {
			first = header
		}
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("compiling the headers of %s as %s: %s was not checked: %s (%d in all)", tree, r.Language, first.Header, first.Reason, n)
}

func (f ClosureFlags) compileConfig(ctx context.Context) (compile.Config, error) {
	c := compile.Config{Dir: f.Tree, Language: f.Language, Compiler: f.Compiler, Flags: f.Flags}
	if f.PC != "" {
		flags, err := f.flagsOfPC(ctx)
		if err != nil {
			return c, fmt.Errorf("reading a consumer's flags: %w", err)
		}
		c.Flags = append(c.Flags, flags...)
	}
	if f.Excuses != "" {
		file, err := os.Open(f.Excuses)
		if err != nil {
			return c, fmt.Errorf("reading excuses: %w", err)
		}
		defer file.Close()
		if c.Excuses, err = compile.ReadExcuses(file, f.Excuses); err != nil {
			return c, fmt.Errorf("reading excuses: %w", err)
		}
	}
	return c, nil
}

func dirs(names []string) []closure.Dir {
	var all []closure.Dir
	for _, name := range names {
		all = append(all, closure.Dir{Name: name, FS: closure.DirFS(name)})
	}
	return all
}

// flagsOfPC are those that the .pc file and what it requires tell a consumer.
func (f ClosureFlags) flagsOfPC(ctx context.Context) ([]string, error) {
	dirs, err := pkgConfigPath(ctx)
	if err != nil {
		return nil, err
	}
	pc, err := compile.OpenPC(f.PC, compile.PCPath{Sysroot: f.Sysroot, Dirs: dirs})
	if err != nil {
		return nil, err
	}
	if len(pc.Requires) > 0 {
		return nil, fmt.Errorf("%s requires %s, found neither beside it nor where pkg-config looks (%s); install the packages that have them, name their directories in PKG_CONFIG_PATH, or give all flags by --cflag",
			f.PC, strings.Join(pc.Requires, ", "), strings.Join(dirs, ", "))
	}
	return pc.Cflags, nil
}

// pkgConfigPath is where pkg-config(1) looks for .pc files; without that program, where its environment says.
func pkgConfigPath(ctx context.Context) ([]string, error) {
	dirs := filepath.SplitList(os.Getenv("PKG_CONFIG_PATH"))
	if only, ok := os.LookupEnv("PKG_CONFIG_LIBDIR"); ok {
		return append(dirs, filepath.SplitList(only)...), nil
	}
	out, err := exec.CommandContext(ctx, "pkg-config", "--variable=pc_path", "pkg-config").Output()
	if err != nil && !errors.Is(err, exec.ErrNotFound) {
		return nil, fmt.Errorf("asking pkg-config where it looks: %w", err)
	}
	return append(dirs, filepath.SplitList(strings.TrimSpace(string(out)))...), nil
}
