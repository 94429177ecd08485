//go:build mage

// Kmodaudit audits a kernel module before it ships: its headers, its stack, its events.
//
// Out-of-tree modules import the targets audit and endToEnd; the others are this project's own chores.
package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/magefile/mage/mg"

	"github.com/kmodaudit/kmodaudit/endtoend"
	"github.com/kmodaudit/kmodaudit/endtoend/zpoolevents"
	"github.com/kmodaudit/kmodaudit/report"
	//mage:import
	"github.com/kmodaudit/kmodaudit/targets"
)

// Build compiles the commands, static, into bin/.
func Build(ctx context.Context) error {
	return runWith(ctx, []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-o", "bin/", "./cmd/...", "./zevent-test")
}

// Test runs every test that needs no root, no network and no guest, and lists those that were skipped.
func Test(ctx context.Context) error {
	if err := run(ctx, "go", "tool", "gotestsum", "--format=pkgname", "--format-hide-empty-pkg", "--", "./..."); err != nil {
		return err
	}
	// What is for another platform must at least compile.
	for _, platform := range []string{"linux/arm64", "darwin/arm64"} {
		goos, goarch, _ := strings.Cut(platform, "/")
		if err := runWith(ctx, []string{"GOOS=" + goos, "GOARCH=" + goarch, "CGO_ENABLED=0"}, "go", "vet", "./zevent/...", "./zevent-test/...", "./cmd/zevents"); err != nil {
			return err
		}
	}
	return nil
}

// Race runs the tests of the packages whose goroutines share memory under the race detector, which needs a C compiler.
func Race(ctx context.Context) error {
	// The one that is left out kills processes, which the detector makes too slow to be hit at work.
	return runWith(ctx, []string{"CGO_ENABLED=1"}, "go", "test", "-race", "-skip=^TestKilledAtRandom$", "./headerinstall/...", "./stackcheck/...", "./zevent/...",
		"./audit", "./guest/qmp", "./guest/wire", "./progress", "./report")
}

// Lint checks formatting and runs go vet and staticcheck.
func Lint(ctx context.Context) error {
	if err := formatted(ctx); err != nil {
		return err
	}
	for _, tags := range []string{"", "mage"} {
		if err := run(ctx, "go", "vet", "-tags="+tags, "./..."); err != nil {
			return err
		}
		if err := run(ctx, "go", "tool", "staticcheck", "-tags="+tags, "./..."); err != nil {
			return err
		}
	}
	return run(ctx, "go", "mod", "tidy", "-diff")
}

// formatted fails if gofmt would change a file.
func formatted(ctx context.Context) error {
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("finding gofmt: %w", err)
	}
	gofmt := filepath.Join(strings.TrimSpace(string(goroot)), "bin", "gofmt")
	out, err := exec.CommandContext(ctx, gofmt, "-l", ".").CombinedOutput()
	if err != nil {
		return fmt.Errorf("running gofmt: %w: %s", err, out)
	}
	if len(out) > 0 {
		return mg.Fatalf(1, "not formatted (gofmt -w):\n%s", out)
	}
	return nil
}

// Bench runs the benchmarks.
func Bench(ctx context.Context) error {
	return run(ctx, "go", "test", "-run=^$", "-bench=.", "-benchmem", "./...")
}

// BenchHeaders compares the header installer with cp, rsync, install, cmake and meson, and writes docs/headers-benchmark.md; HEADER_TREE=DIR for the headers.
func BenchHeaders(ctx context.Context) error {
	tree, err := headerTree()
	if err != nil {
		return err
	}
	if err := os.MkdirAll("out", 0o755); err != nil {
		return err
	}
	return run(ctx, "go", "run", "./headerinstall/peers", "-tree", tree, "-on", "/dev/shm", "-on", "out", "-o", "docs/headers-benchmark.md")
}

// BenchStack compares the stack audit with cat and with objdump | checkstack.pl, and writes docs/stack-benchmark.md; STACK_BUILD=PATH for another build than the bundled one, STACK_OBJECTS=FILE:FILE for modules and a vmlinux, CHECKSTACK=FILE for the kernel's checkstack.pl if it is not installed.
func BenchStack(ctx context.Context) error {
	if err := os.MkdirAll("out", 0o755); err != nil {
		return err
	}
	args := []string{"go", "run", "./stackcheck/peers", "-on", "out", "-o", "docs/stack-benchmark.md",
		"-build", cmp.Or(os.Getenv("STACK_BUILD"), "testdata/openzfs-2.1.11/su-ci.tar.zst")}
	if script := os.Getenv("CHECKSTACK"); script != "" {
		args = append(args, "-checkstack", script)
	}
	for _, object := range filepath.SplitList(os.Getenv("STACK_OBJECTS")) {
		args = append(args, "-object", object)
	}
	return run(ctx, args...)
}

// BenchGuest measures what endToEnd's guests take beside an empty init, and writes docs/guest-benchmark.md; ROUNDS=N for so many rounds (default 5), other variables as endToEnd.
func BenchGuest(ctx context.Context) error {
	config, err := targets.RealConfig("out", nil)
	if err != nil {
		return mg.Fatalf(2, "%v", err)
	}
	if err := os.MkdirAll(config.Out, 0o755); err != nil {
		return err
	}
	return run(ctx, "go", "run", "./endtoend/peers", "-cache", string(config.Cache), "-source", config.Source, "-kernel", config.Release,
		"-on", config.Out, "-rounds", cmp.Or(os.Getenv("ROUNDS"), "5"), "-o", "docs/guest-benchmark.md")
}

// RealHeaders installs, verifies and uninstalls the headers of the kernel and the module that endToEnd audits, and compares them with what find and cmp say; KMODAUDIT_HEADER_TREES=DIR:DIR for more trees.
func RealHeaders(ctx context.Context) error {
	ground, err := realGround(ctx)
	if err != nil {
		return err
	}
	trees := []string{filepath.Join(ground.Kernel.SourceDir, "include"), filepath.Join(ground.Module.Dir, "include")}
	if more := os.Getenv(headerTreesEnv); more != "" {
		trees = append(trees, more)
	}
	return runWith(ctx, []string{headerTreesEnv + "=" + strings.Join(trees, string(os.PathListSeparator))},
		"go", "tool", "gotestsum", "--format=testname", "--", "-count=1", "-run=^TestRealTrees$", "./headerinstall")
}

// RealModules compares what the code of all modules of the kernel that endToEnd boots takes of the stack with what ORC tells.
func RealModules(ctx context.Context) error {
	ground, err := realGround(ctx)
	if err != nil {
		return err
	}
	return runWith(ctx, []string{modulesEnv + "=" + ground.Kernel.ModuleDir},
		"go", "tool", "gotestsum", "--format=standard-verbose", "--", "-count=1", "-run=^TestFromCodeOnModules$", "./stackcheck/frame/orc")
}

// modulesEnv names the variable from which TestFromCodeOnModules takes a directory.
const modulesEnv = "KMODAUDIT_MODULES"

// realGround is the kernel and the module of endToEnd.
func realGround(ctx context.Context) (*endtoend.Ground, error) {
	config, err := targets.RealConfig("", report.NewProgress(os.Stderr, 0).Show)
	if err != nil {
		return nil, mg.Fatalf(2, "%v", err)
	}
	ground, err := endtoend.Build(ctx, config)
	if err != nil {
		return nil, mg.Fatalf(2, "%v", err)
	}
	return ground, nil
}

// RecordEvents raises every class of event in the guest of endToEnd, compares zevents with the distribution's zpool events there, and records both in RECORDING=DIR (default out/recordEvents); other variables as endToEnd.
func RecordEvents(ctx context.Context) error {
	const out = "out/recordEvents"
	config, err := targets.RealConfig(out, report.NewProgress(os.Stderr, 0).Show)
	if err != nil {
		return mg.Fatalf(2, "%v", err)
	}
	result, err := zpoolevents.Record(ctx, zpoolevents.Config{Config: config, Recording: cmp.Or(os.Getenv("RECORDING"), out)})
	if result != nil {
		fmt.Print(result)
	}
	switch {
	case err != nil:
		return mg.Fatalf(2, "%v", err)
	case !result.Same():
		return mg.Fatalf(1, "zevents prints other text than zpool events")
	}
	return nil
}

// headerTreesEnv names the variable from which TestRealTrees takes directories.
const headerTreesEnv = "KMODAUDIT_HEADER_TREES"

// headerTree is HEADER_TREE, or the headers of the newest Debian kernel that has some here.
func headerTree() (string, error) {
	if tree := os.Getenv("HEADER_TREE"); tree != "" {
		return tree, nil
	}
	trees, err := filepath.Glob("/usr/src/linux-headers-*-common/include")
	if err != nil {
		return "", err
	}
	if len(trees) == 0 {
		return "", mg.Fatalf(1, "there is no /usr/src/linux-headers-*-common/include to take headers from; install Debian's package linux-headers-%s, or name any directory of headers by HEADER_TREE=DIR", runtime.GOARCH)
	}
	return slices.MaxFunc(trees, func(a, b string) int { return slices.Compare(numbers(a), numbers(b)) }), nil
}

// numbers are those in a kernel's release, which orders by them.
func numbers(release string) (all []int) {
	for _, digits := range regexp.MustCompile(`[0-9]+`).FindAllString(release, -1) {
		n, _ := strconv.Atoi(digits)
		all = append(all, n)
	}
	return all
}

// Fuzz runs every fuzz target for FUZZTIME each (default 30s). Inputs are whole recordings and builds, which are minimised but briefly.
func Fuzz(ctx context.Context) error {
	duration := os.Getenv("FUZZTIME")
	if duration == "" {
		duration = "30s"
	}
	packages, err := exec.CommandContext(ctx, "go", "list", "./...").Output()
	if err != nil {
		return fmt.Errorf("listing packages: %w", err)
	}
	for _, pkg := range strings.Fields(string(packages)) {
		list, err := exec.CommandContext(ctx, "go", "test", "-list=^Fuzz", pkg).Output()
		if err != nil {
			return fmt.Errorf("listing the fuzz targets of %s: %w", pkg, err)
		}
		for _, target := range strings.Fields(string(list)) {
			if !strings.HasPrefix(target, "Fuzz") {
				continue // the line that sums up the package
			}
			if err := run(ctx, "go", "test", "-run=^$", "-fuzz=^"+target+"$", "-fuzztime="+duration, "-fuzzminimizetime=10x", pkg); err != nil {
				return err
			}
		}
	}
	return nil
}

// Clean removes what builds and audits left in this directory; the cache of endToEnd stays.
func Clean() error {
	for _, dir := range []string{"out", "bin"} {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

func run(ctx context.Context, args ...string) error { return runWith(ctx, nil, args...) }

// runWith does what sh.RunWithV does, but can be cancelled, and expands no variables in arguments.
func runWith(ctx context.Context, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return mg.Fatalf(1, "%s: %v", strings.Join(args, " "), err)
	}
	return nil
}
