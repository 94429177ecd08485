// Package endtoend runs the audits on the real thing: it gets a module's source
// and a kernel from the distribution, builds the one against the other, boots the kernel in a
// guest, loads the module there and runs the event checks against it.
//
// Each long step keeps its product in a cache under the digest of its inputs, so
// that a second run only runs the guests.
package endtoend

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kmodaudit/kmodaudit/cache"
	"github.com/kmodaudit/kmodaudit/distro"
	"github.com/kmodaudit/kmodaudit/guest"
	"github.com/kmodaudit/kmodaudit/kbuild"
	"github.com/kmodaudit/kmodaudit/progress"
)

// Packages and commands of this module that run in the guest.
const (
	initPackage = "github.com/kmodaudit/kmodaudit/guest/guestinit"

	device   = "/dev/zfs"
	guestDir = "/tmp" // of the guest, for files of pools
)

// Programs that run, each in a guest.
const (
	zeventTest = iota
	stackLoad
)

var programPackages = []string{
	zeventTest: "github.com/kmodaudit/kmodaudit/zevent-test",
	stackLoad:  "github.com/kmodaudit/kmodaudit/endtoend/stackload",
}

// modulePackage is the distribution's package with the OpenZFS module's source.
const modulePackage = "zfs-dkms"

// Config says what to run on.
type Config struct {
	Cache    cache.Dir     // where products are kept
	Source   string        // source tree of OpenZFS; empty for the distribution's
	Release  string        // kernel release; empty for the distribution's current one
	Out      string        // existing directory that receives the guest's console and results
	Progress progress.Func // may be nil
}

// Ground is what the audits need of the real thing.
type Ground struct {
	Module  kbuild.Module
	Kernel  kbuild.Kernel
	Product kbuild.Product
	Guest   guest.Config // ready but for programs

	AccelReason string // why Guest.Accel is what it is

	bootErr   error           // that the kernel does not boot
	programs  []guest.Program // without arguments
	guestDirs []string        // of the guest of each
}

// Prepare does everything up to the guests' start. A kernel that none was kept of boots while the module is built.
func Prepare(ctx context.Context, c Config) (*Ground, error) {
	p := preparer{Config: c}
	if err := p.get(ctx); err != nil {
		return nil, err
	}
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return p.module(ctx) })
	both.Go(func() error { return p.guest(ctx) })
	err := both.Wait()
	if err == nil {
		p.ground.Guest.Modules, err = p.loadOrder()
	}
	if err != nil {
		return nil, err
	}
	return &p.ground, nil
}

// Build does everything up to the module's build, and leaves Ground.Guest empty. Of c it needs no Out.
func Build(ctx context.Context, c Config) (*Ground, error) {
	p := preparer{Config: c}
	err := p.get(ctx)
	if err == nil {
		err = p.module(ctx)
	}
	if err != nil {
		return nil, err
	}
	return &p.ground, nil
}

// preparer holds what one step hands to the next.
type preparer struct {
	Config
	apt        *distro.Apt
	packages   distro.KernelPackages
	kernelRoot string // what they were unpacked to
	source     sourceInputs
	ground     Ground
}

// get gets source, kernel and tools.
func (p *preparer) get(ctx context.Context) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("running on the real thing: it needs Linux, this is %s", runtime.GOOS)
	}
	if err := p.index(ctx); err != nil {
		return err
	}
	var err error
	if p.packages, err = p.apt.FindKernel(ctx, p.Release); err != nil {
		return err
	}
	if err := p.tools(ctx, p.packages.Tools); err != nil {
		return err
	}
	if err := p.getSource(ctx); err != nil {
		return err
	}
	// Said before anything large is downloaded.
	if err := p.ground.Module.Supports(kbuild.Kernel{Release: p.packages.Release}); err != nil {
		return err
	}
	return p.getKernel(ctx)
}

// step runs a cached step with progress.
func (p *preparer) step(ctx context.Context, id, name string, inputs any, produce func(dir string, report func(progress.Event)) error) (string, error) {
	var dir string
	hit := true
	err := p.Progress.Step(name, func(report func(progress.Event)) error {
		var err error
		dir, hit, err = p.Cache.Do(ctx, id, inputs, func(dir string) error { return produce(dir, report) })
		if hit && err == nil {
			report(progress.Event{State: progress.Cached, Detail: dir})
		}
		return err
	})
	return dir, err
}

// index fetches the package index, once a day.
func (p *preparer) index(ctx context.Context) error {
	sources, err := distro.Sources()
	if err != nil {
		return err
	}
	inputs := struct {
		Day     string
		Sources map[string]string
	}{time.Now().UTC().Format(time.DateOnly), sources}
	dir, err := p.step(ctx, "index", "fetch the package index", inputs, func(dir string, report func(progress.Event)) error {
		apt, err := distro.Configure(dir, p.Cache.Log(dir))
		if err != nil {
			return err
		}
		return apt.Update(ctx, detail(report))
	})
	if err != nil {
		return err
	}
	p.apt, err = distro.Configure(dir, p.Cache.Log(dir))
	return err
}

// tools installs what the machine lacks of the tools that the later steps run.
func (p *preparer) tools(ctx context.Context, ofKernel []string) error {
	ofModule, err := p.toolsOfModule(ctx)
	if err != nil {
		return err
	}
	missing, err := p.apt.Missing(ctx, slices.Concat([]string{"gcc", "libc6-dev", "make", "qemu-system-x86"}, ofKernel, ofModule))
	if err != nil || len(missing) == 0 {
		return err
	}
	return p.Progress.Step("install tools", func(report func(progress.Event)) error {
		return p.apt.Install(ctx, missing, detail(report))
	})
}

// toolsOfModule returns what the distribution found that building the module takes. DKMS
// itself is left out: it would build the module for the kernels of this machine.
func (p *preparer) toolsOfModule(ctx context.Context) ([]string, error) {
	pkg, err := p.apt.Show(ctx, modulePackage)
	if errors.Is(err, distro.ErrNoPackage) && p.Source != "" {
		return nil, nil
	}
	return slices.DeleteFunc(pkg.Depends, func(name string) bool { return name == "dkms" || name == "debconf" }), err
}

// sourceInputs identify the module's source.
type sourceInputs struct {
	Package string `json:",omitempty"` // NAME=VERSION
	Digest  string `json:",omitempty"` // of a given tree
}

func (p *preparer) getSource(ctx context.Context) (err error) {
	dir := p.Source
	if dir == "" {
		dir, p.source, err = p.packagedSource(ctx)
	} else {
		p.source.Digest, err = digestTree(dir)
	}
	if err != nil {
		return err
	}
	p.ground.Module, err = kbuild.ReadModule(dir)
	return err
}

func (p *preparer) packagedSource(ctx context.Context) (string, sourceInputs, error) {
	pkg, err := p.apt.Show(ctx, modulePackage)
	if err != nil {
		return "", sourceInputs{}, err
	}
	inputs := sourceInputs{Package: pkg.Name + "=" + pkg.Version}
	root, err := p.step(ctx, "source", "get the module's source, "+inputs.Package, inputs, func(dir string, report func(progress.Event)) error {
		return p.apt.Unpack(ctx, []distro.Package{pkg}, dir, detail(report))
	})
	if err != nil {
		return "", inputs, err
	}
	trees, err := filepath.Glob(filepath.Join(root, "usr/src/zfs-*"))
	if err == nil && len(trees) != 1 {
		err = fmt.Errorf("finding the module's source: %s has %d directories /usr/src/zfs-*, expected one", inputs.Package, len(trees))
	}
	if err != nil {
		return "", inputs, err
	}
	return trees[0], inputs, nil
}

func (p *preparer) getKernel(ctx context.Context) (err error) {
	release, packages := p.packages.Release, p.packages.Unpack
	p.kernelRoot, err = p.step(ctx, "kernel", "get Linux "+release, packages, func(dir string, report func(progress.Event)) error {
		if err := p.apt.Unpack(ctx, packages, dir, detail(report)); err != nil {
			return err
		}
		return distro.Relocate(dir)
	})
	if err != nil {
		return err
	}
	p.ground.Kernel, err = distro.OpenKernel(p.kernelRoot, release)
	return err
}

// module builds the module.
func (p *preparer) module(ctx context.Context) error {
	compiler, err := p.ground.Kernel.Compiler()
	if err != nil {
		return err
	}
	installed, err := exec.CommandContext(ctx, compiler.Command, "--version").Output()
	if err != nil {
		return fmt.Errorf("asking the compiler %s for its version: %w", compiler.Command, err)
	}
	inputs := struct {
		Source   sourceInputs
		Kernel   []distro.Package
		Compiler string
		Flags    string
		Layout   int
	}{p.source, p.packages.Unpack, string(installed), kbuild.AuditFlags, kbuild.Layout}
	name := fmt.Sprintf("make %s %s for Linux %s", p.ground.Module.Name, p.ground.Module.Version, p.ground.Kernel.Release)
	if p.ground.Module.IsBeyond(p.ground.Kernel) {
		name += fmt.Sprintf(" (it tells of Linux up to %v)", p.ground.Module.Newest)
	}
	dir, err := p.step(ctx, "build", name, inputs, func(dir string, _ func(progress.Event)) error {
		return kbuild.Build(ctx, kbuild.Spec{
			Module: p.ground.Module, Kernel: p.ground.Kernel, Flags: kbuild.AuditFlags,
			Dir: dir, Log: p.Cache.Log(dir), Progress: p.Progress,
		})
	})
	if err != nil {
		return err
	}
	p.ground.Product, err = kbuild.Open(dir, p.ground.Module)
	return err
}

// detail reports each line of a program's output as the part in hand.
func detail(report func(progress.Event)) func(string, bool) {
	return func(line string, _ bool) { report(progress.Event{Detail: line}) }
}

// makeDir makes a directory of the output, with those above it.
func (c Config) makeDir(name string) (string, error) {
	dir := filepath.Join(c.Out, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making the output directory: %w", err)
	}
	return dir, nil
}
