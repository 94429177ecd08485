package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

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
	config, err := f.compileConfig()
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

func (f ClosureFlags) compileConfig() (compile.Config, error) {
	c := compile.Config{Dir: f.Tree, Language: f.Language, Compiler: f.Compiler, Flags: f.Flags}
	if f.PC != "" {
		pc, err := compile.OpenPC(f.PC)
		if err != nil {
			return c, fmt.Errorf("reading a consumer's flags: %w", err)
		}
		c.Flags = append(c.Flags, pc.Under(f.Sysroot)...)
		if len(pc.Requires) > 0 {
			return c, fmt.Errorf("reading a consumer's flags: %s requires %v, which are not beside it; add their flags by --cflag and remove the line", f.PC, pc.Requires)
		}
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
