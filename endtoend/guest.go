package endtoend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/kmodaudit/kmodaudit/guest"
	"github.com/kmodaudit/kmodaudit/guest/wire"
	"github.com/kmodaudit/kmodaudit/kmod"
	"github.com/kmodaudit/kmodaudit/proc"
	"github.com/kmodaudit/kmodaudit/progress"
)

// guestTimeout is many times what a translated guest takes on two cores.
const guestTimeout = 10 * time.Minute

// guest prepares the guests but for the modules that they load.
func (p *preparer) guest(ctx context.Context) error {
	dir, err := p.makeDir("guest")
	if err != nil {
		return err
	}
	init, err := p.compile(ctx, dir, initPackage)
	if err != nil {
		return err
	}
	for i, pkg := range programPackages {
		file, err := p.compile(ctx, dir, pkg)
		if err != nil {
			return err
		}
		guestDir := dir
		if i != zeventTest {
			if guestDir, err = p.makeDir("guest-" + filepath.Base(pkg)); err != nil {
				return err
			}
		}
		p.ground.programs = append(p.ground.programs, guest.Program{File: file})
		p.ground.guestDirs = append(p.ground.guestDirs, guestDir)
	}
	p.ground.Guest = guest.Config{Kernel: p.ground.Kernel.Image, Init: init, Dir: dir, Timeout: guestTimeout, Cache: p.Cache}
	if err := p.accel(ctx); err != nil {
		return err
	}
	return p.keepMachine(ctx)
}

// keepMachine boots the kernel for later guests. Where that fails, only they cannot be had.
func (p *preparer) keepMachine(ctx context.Context) error {
	if p.ground.Guest.Accel == guest.KVM {
		return nil
	}
	p.ground.bootErr = p.Progress.Step("boot Linux "+p.ground.Kernel.Release+" for the guests", func(report func(progress.Event)) error {
		had, err := guest.Keep(ctx, p.ground.Guest)
		if had {
			report(progress.Event{State: progress.Cached})
		}
		return err
	})
	return context.Cause(ctx)
}

// loadOrder returns the files of the modules and of what they depend on, in the order to load them.
func (p *preparer) loadOrder() ([]string, error) {
	modules, err := kmod.LoadOrder(p.ground.Product.Modules, kernelModules(p.ground.Kernel.ModuleDir))
	if err != nil {
		return nil, err
	}
	var files []string
	for _, m := range modules {
		files = append(files, m.File)
	}
	return files, nil
}

// compile builds a static command of this project.
func (p *preparer) compile(ctx context.Context, dir, pkg string) (string, error) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		return "", fmt.Errorf("compiling the guest's programs: %w; install Go", err)
	}
	binary := filepath.Join(dir, filepath.Base(pkg))
	err = proc.Run(ctx, proc.Command{
		Args: []string{goTool, "build", "-trimpath", "-buildvcs=false", "-o", binary, pkg},
		Env:  []string{"CGO_ENABLED=0", "GOOS=linux"},
		Log:  filepath.Join(dir, "compile.log"),
	})
	if err != nil {
		return "", fmt.Errorf("compiling the guest's programs: %w", err)
	}
	return filepath.Abs(binary)
}

// kernelModules finds modules of the kernel's own package, whose files end in
// .ko, .ko.xz, .ko.zst or .ko.gz.
func kernelModules(dir string) kmod.Resolver {
	var files map[string]string
	return func(name string) (string, bool) {
		if files == nil {
			files = map[string]string{}
			_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
				if err == nil && strings.Contains(d.Name(), ".ko") {
					files[kmod.NameOf(path)] = path
				}
				return nil
			})
		}
		file, ok := files[name]
		return file, ok
	}
}

// accel finds out whether KVM runs this kernel here. That is a property of host, QEMU and
// kernel, so the answer is kept.
func (p *preparer) accel(ctx context.Context) error {
	qemu, err := guest.Emulator()
	if err != nil {
		return err
	}
	version, err := exec.CommandContext(ctx, qemu, "--version").Output()
	if err != nil {
		return fmt.Errorf("asking QEMU for its version: %w", err)
	}
	host, err := os.ReadFile("/proc/version")
	if err != nil {
		return fmt.Errorf("finding out the host's kernel: %w", err)
	}
	_, missing := os.Stat("/dev/kvm")
	inputs := struct {
		Host, QEMU, Kernel string
		Device             bool
	}{string(host), string(version), p.kernelRoot, missing == nil}
	type answer struct {
		Accel guest.Accel
		Why   string
	}
	dir, err := p.step(ctx, "accel", "find out whether KVM boots the kernel", inputs, func(dir string, _ func(progress.Event)) error {
		c := p.ground.Guest
		c.Dir = dir
		accel, why, err := guest.ProbeKVM(ctx, c)
		if err != nil {
			return err
		}
		return writeJSON(filepath.Join(dir, "accel.json"), answer{accel, why})
	})
	if err != nil {
		return err
	}
	var a answer
	if err := readJSON(filepath.Join(dir, "accel.json"), &a); err != nil {
		return err
	}
	p.ground.Guest.Accel = a.Accel
	p.ground.AccelReason = a.Why
	return nil
}

// Boot runs the programs, each in a guest of its own, and returns the guests in that order. They are two, because the stack tracer slows down
// all that a guest does. The second begins when the first has booted, and so finds a kernel that was kept.
func (g *Ground) Boot(ctx context.Context, report progress.Func) ([]*guest.Result, error) {
	if g.bootErr != nil {
		return nil, g.bootErr
	}
	arguments := [][]string{
		zeventTest: {"--device", device, "--dir", guestDir, "--format", "json"},
		stackLoad:  {"--device", device, "--dir", guestDir, "--modules", strings.Join(g.modules(), ",")},
	}
	results, errs := make([]*guest.Result, len(g.programs)), make([]error, len(g.programs))
	err := report.Step(fmt.Sprintf("run Linux %s and test the module", g.Kernel.Release), func(event func(progress.Event)) error {
		event(progress.Event{Detail: fmt.Sprintf("%s, since %s", g.Guest.Accel, g.AccelReason)})
		guests := relay{event: event}
		var running sync.WaitGroup
		for i, program := range g.programs {
			c := g.Guest
			c.Programs, c.Dir = []guest.Program{program}, g.guestDirs[i]
			c.Programs[0].Args = arguments[i]
			begun := make(chan struct{})
			begin := sync.OnceFunc(func() { close(begun) })
			c.OnRecord = func(r wire.Record) {
				begin() // the first record is that it has booted
				guests.take(r)
			}
			running.Go(func() {
				defer begin()
				results[i], errs[i] = guest.Run(ctx, c)
			})
			<-begun
		}
		running.Wait()
		return errors.Join(errs...)
	})
	return results, err
}

// relay reports the records of guests that run beside each other.
type relay struct {
	mutex sync.Mutex
	event func(progress.Event)
	lines int
}

func (l *relay) take(r wire.Record) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if r.Kind == wire.Stdout {
		l.lines += 1 + strings.Count(r.Text, "\n")
	}
	l.event(progress.Event{Done: l.lines, Unit: "lines of results", Detail: describe(r)})
}

// modules returns the names of the modules that were built.
func (g *Ground) modules() []string {
	var names []string
	for _, file := range g.Product.Modules {
		names = append(names, kmod.NameOf(file))
	}
	return names
}

func describe(r wire.Record) string {
	switch r.Kind {
	case wire.Booted:
		return "init runs on Linux " + r.Release
	case wire.Loaded:
		return "loaded " + r.Module
	case wire.Stdout: // for a program to read
		return ""
	default:
		return string(r.Kind) + ": " + r.Text
	}
}

func writeJSON(file string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

func readJSON(file string, value any) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, value); err != nil {
		return fmt.Errorf("reading %s: %w; delete its directory to have it made again", file, err)
	}
	return nil
}
