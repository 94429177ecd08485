// Package kbuild builds an out-of-tree module against one kernel and keeps what
// the audits read: stack usage, call graph, modules.
//
// Kbuild is the kernel's build system. An out-of-tree module is built by it in
// the module's own directory, against the headers and the configuration of a kernel; flags
// given as KCFLAGS are added to every compilation.
package kbuild

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/kmodaudit/kmodaudit/proc"
	"github.com/kmodaudit/kmodaudit/progress"
)

// AuditFlags make gcc 10 or newer write FILE.su (a frame a function) and
// FILE.ci (the call graph) beside each object.
const AuditFlags = "-fstack-usage -fcallgraph-info=su,da"

// Product is a built module.
type Product struct {
	Tree    string   // the source tree, with the objects, .su and .ci in it
	Modules []string // stripped module files, without debug information
}

// Spec is what Build is to do.
type Spec struct {
	Module   Module
	Kernel   Kernel
	Flags    string        // KCFLAGS; AuditFlags if the audits are to read the result
	Dir      string        // existing, empty: the tree is built in it
	Log      string        // file that takes the output
	Progress progress.Func // may be nil
}

// Layout is another number whenever Build leaves something else of the same inputs.
const Layout = 2

// What is below Spec.Dir.
const (
	treeName    = "source"
	modulesName = "modules"
)

// Build copies the source tree to s.Dir, configures and builds it there, and strips
// copies of the modules. Open finds its product again.
func Build(ctx context.Context, s Spec) error {
	if err := s.Module.Supports(s.Kernel); err != nil {
		return err
	}
	compiler, err := s.Kernel.Compiler()
	if err != nil {
		return err
	}
	if _, err := exec.LookPath(compiler.Command); err != nil {
		return fmt.Errorf("building %s: Linux %s was built with %s, and a module needs the same compiler: %w; install it (Debian, Ubuntu: apt-get install %s)",
			s.Module.Name, s.Kernel.Release, compiler.Text, err, compiler.Command)
	}
	tree := filepath.Join(s.Dir, treeName)
	// cp and not os.CopyFS: make compares the time stamps of configure and its sources.
	if err := s.run(ctx, s.Dir, nil, "cp", "-a", s.Module.Dir+"/.", tree); err != nil {
		return fmt.Errorf("copying the module's source: %w", err)
	}
	beyond := ""
	if s.Module.IsBeyond(s.Kernel) {
		beyond = fmt.Sprintf("; it tells of Linux up to %v only, unless it was patched: take a newer source, or an older kernel", s.Module.Newest)
	}
	if err := s.configure(ctx, tree); err != nil {
		return fmt.Errorf("configuring %s for Linux %s: %w%s", s.Module.Name, s.Kernel.Release, err, beyond)
	}
	if err := s.make(ctx, tree); err != nil {
		return fmt.Errorf("building %s for Linux %s: %w%s", s.Module.Name, s.Kernel.Release, err, beyond)
	}
	if err := s.strip(ctx, filepath.Join(tree, s.Module.moduleDir)); err != nil {
		return fmt.Errorf("stripping the modules: %w", err)
	}
	return nil
}

// Open returns the product that Build left in dir.
func Open(dir string, m Module) (Product, error) {
	modules, err := filepath.Glob(filepath.Join(dir, modulesName, "*.ko"))
	if err != nil {
		return Product{}, err
	}
	if len(modules) == 0 {
		return Product{}, fmt.Errorf("opening the build of %s: %s has no modules; build it again", m.Name, dir)
	}
	return Product{Tree: filepath.Join(dir, treeName), Modules: modules}, nil
}

func (s Spec) configure(ctx context.Context, tree string) error {
	if !s.Module.autotools {
		return nil
	}
	return s.Progress.Step("configure the module", func(report func(progress.Event)) error {
		checks := 0
		onLine := func(line string, whole bool) {
			check, found := strings.CutPrefix(line, "checking ")
			if !found {
				return
			}
			if whole {
				checks++
			}
			report(progress.Event{Done: checks, Unit: "checks", Detail: check})
		}
		err := s.run(ctx, tree, onLine, "./configure", "--with-config=kernel",
			"--with-linux="+s.Kernel.SourceDir, "--with-linux-obj="+s.Kernel.BuildDir)
		if err != nil {
			return err
		}
		// The modules that configure has built to try the kernel are no part of this one, and would be audited with it.
		return os.RemoveAll(filepath.Join(tree, "build"))
	})
}

func (s Spec) make(ctx context.Context, tree string) error {
	return s.Progress.Step("build the module", func(report func(progress.Event)) error {
		compiled, total := 0, s.countSources()
		complaint := ""
		onLine := func(line string, whole bool) {
			if complaint == "" && whole && complains(line) {
				complaint = strings.ReplaceAll(line, tree+"/", "")
			}
			file, found := compiledFile(line)
			if !found || !whole {
				return
			}
			compiled++
			report(progress.Event{Done: compiled, Total: max(total, compiled), Unit: "files", Detail: filepath.Base(file)})
		}
		args := []string{"make", "-j", fmt.Sprint(runtime.NumCPU()), "KCFLAGS=" + s.Flags}
		if !s.Module.autotools {
			args = append(args, "-C", s.Kernel.BuildDir, "M="+tree, "modules")
		}
		err := s.run(ctx, tree, onLine, args...)
		if err != nil && complaint != "" {
			// Parallel jobs go on printing; the end of the log may not show what failed.
			err = fmt.Errorf("the source does not compile for this kernel, first %s\n  %w", complaint, err)
		}
		return err
	})
}

// complains says whether a line is an error of gcc, the linker, objtool or modpost.
func complains(line string) bool {
	return strings.Contains(line, " error: ") || strings.HasPrefix(line, "ERROR: modpost: ") || strings.Contains(line, "undefined reference to ")
}

// compiledFile returns the object of one of kbuild's lines: "  CC [M]  zfs/arc.o".
func compiledFile(line string) (object string, found bool) {
	fields := strings.Fields(line)
	if len(fields) != 3 || fields[1] != "[M]" || fields[0] != "CC" && fields[0] != "AS" {
		return "", false
	}
	return fields[2], true
}

// countSources estimates how many files will be compiled: sources for
// another operating system lie in the tree and are not.
func (s Spec) countSources() int {
	n := 0
	dir := filepath.Join(s.Module.Dir, s.Module.moduleDir)
	_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() == "freebsd" {
			return filepath.SkipDir
		}
		if ext := filepath.Ext(path); ext == ".c" || ext == ".S" {
			n++
		}
		return nil
	})
	return n
}

// strip writes copies of the built modules without debug information, which makes
// them some ten times smaller for a guest.
func (s Spec) strip(ctx context.Context, moduleDir string) error {
	built, err := builtModules(moduleDir)
	if err != nil {
		return err
	}
	out := filepath.Join(s.Dir, modulesName)
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	for _, module := range built {
		if err := s.run(ctx, s.Dir, nil, "objcopy", "--strip-debug", module, filepath.Join(out, filepath.Base(module))); err != nil {
			return err
		}
	}
	return nil
}

// builtModules reads modules.order, where kbuild lists what it built: a path a
// line, absolute or relative, of the .ko or (since Linux 6.3) the .o file.
func builtModules(moduleDir string) ([]string, error) {
	list := filepath.Join(moduleDir, "modules.order")
	f, err := os.Open(list)
	if err != nil {
		return nil, fmt.Errorf("kbuild left no list of modules: %w", err)
	}
	defer f.Close()
	var modules []string
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		module := strings.TrimSuffix(strings.TrimSuffix(lines.Text(), ".o"), ".ko") + ".ko"
		if !filepath.IsAbs(module) {
			module = filepath.Join(moduleDir, module)
		}
		modules = append(modules, module)
	}
	if len(modules) == 0 {
		return nil, fmt.Errorf("%s lists no module: the build made none", list)
	}
	return modules, lines.Err()
}

func (s Spec) run(ctx context.Context, dir string, onLine func(string, bool), args ...string) error {
	return proc.Run(ctx, proc.Command{
		Args: args, Dir: dir, Log: s.Log, OnLine: onLine,
		// A make above this process must not pass on its options and job slots.
		Env: []string{"LC_ALL=C", "MAKEFLAGS=", "MFLAGS=", "MAKELEVEL="},
	})
}
