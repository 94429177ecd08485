// Package guest boots a Linux kernel in QEMU, loads modules into it, runs
// programs there, one after the other, and brings back what they printed.
//
// A guest has no disk, no network and no daemon. Its root file system is an
// initramfs with an init. Modules and programs lie in a part of its memory of their own, where the init finds them when it is told
// to start. The first serial
// port is the kernel's console and goes to a log file; over the second, the init sends
// records (package wire), so that kernel messages cannot garble results.
//
// With a cache, a machine that has booted is kept as it is before it is told to start, and the next guest with the same
// kernel, init and QEMU is resumed from there. What is in the payload, the clock, and the seed of random numbers are its own; the
// addresses that the kernel chose at boot are the same in each.
//
// A guest that does not come to its end gives an *Error that says how far it came,
// whose fault that is most likely, and the end of its console.
package guest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/kmodaudit/kmodaudit/cache"
	"github.com/kmodaudit/kmodaudit/guest/wire"
	"github.com/kmodaudit/kmodaudit/kmod"
	"github.com/kmodaudit/kmodaudit/proc"
)

// Accel is how QEMU runs the guest's instructions.
type Accel string

const (
	KVM Accel = "kvm" // on the processor
	TCG Accel = "tcg" // translated, some ten times slower, works everywhere
)

// Config is a guest to run.
type Config struct {
	Kernel    string        // file of a bootable kernel (bzImage)
	Init      string        // file of the init, made from the package guestinit beside this one
	Modules   []string      // module files, in the order to load them; compressed ones are expanded
	Programs  []Program     // to run, in that order, whatever their exit status; none to only boot and load
	MemoryMiB int           // default 1024, at most 3072
	CPUs      int           // default 2, under TCG 1: translated processors that wait for each other take the host twice the time
	Accel     Accel         // default TCG
	Timeout   time.Duration // from power-on to verdict, default 5 minutes
	Dir       string        // existing directory for initramfs and console.log, of this guest alone
	Cache     cache.Dir     // where a booted machine is kept; empty to boot each time, as under KVM

	// OnRecord is called for each record as it arrives, for progress. May be nil.
	OnRecord func(wire.Record)
}

// mostMemoryMiB is what a machine has below 4 GiB, with room for devices.
const mostMemoryMiB = 3 << 10

// Program is a program to run in the guest.
type Program struct {
	File string   // of a static executable
	Args []string // without its name
	Env  []string // KEY=VALUE
}

// Output is what a program did.
type Output struct {
	ExitCode int // 128 + n if signal n ended it
	Stdout   []byte
	Stderr   []byte
	Ended    time.Duration // guest time from the kernel's start to its end
}

// Result is what a guest did. Its times go on from those of the boot, whenever that was.
type Result struct {
	Start      Start
	Programs   []Output      // one for each of Config.Programs
	Release    string        // of the guest's kernel
	Booted     time.Duration // guest time from the kernel's start to init
	Loaded     time.Duration // guest time from the kernel's start to the last module, 0 without modules
	ConsoleLog string        // file
}

// Error is a guest that did not come to its end.
type Error struct {
	What       string   // what happened, with the likely fault and what to do
	ConsoleLog string   // file
	Tail       []string // last lines of the console
	Err        error    // the cause if there is one below
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("running a guest: " + e.What)
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if len(e.Tail) > 0 {
		b.WriteString("\n  the end of its console:")
	}
	for _, line := range e.Tail {
		fmt.Fprintf(&b, "\n    %s", line)
	}
	if e.ConsoleLog != "" {
		fmt.Fprintf(&b, "\n  the whole console is in %s", e.ConsoleLog)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Emulator is the QEMU program for this machine's architecture.
func Emulator() (string, error) {
	if runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("running a guest: only x86-64 machines are supported, this is %s", runtime.GOARCH)
	}
	path, err := exec.LookPath("qemu-system-x86_64")
	if err != nil {
		return "", fmt.Errorf("running a guest: %w; install QEMU (Debian, Ubuntu: apt-get install qemu-system-x86)", err)
	}
	return path, nil
}

// Run starts the guest and waits for its end.
func Run(ctx context.Context, c Config) (*Result, error) {
	var result *Result
	err := with(ctx, c, func(ctx context.Context, r *run) error {
		m, err := r.ready(ctx)
		if err != nil {
			return err
		}
		result, err = r.follow(ctx, m)
		return err
	})
	return result, err
}

// Keep boots a machine and keeps it in c.Cache, unless one is there, which it says. Guests with the same c are resumed from it; of c.Modules
// and c.Programs only their size matters, and only above 64 MB. The error is that of a kernel that does not boot: Run finds out
// for itself that a machine cannot be kept, and boots.
func Keep(ctx context.Context, c Config) (had bool, err error) {
	err = with(ctx, c, func(ctx context.Context, r *run) error {
		if !r.keeps() {
			return nil
		}
		_, m, err := r.kept(ctx)
		had = m == nil && err == nil
		if m != nil {
			m.kill()
		}
		if errors.Is(err, errNotKept) {
			return nil
		}
		return err
	})
	return had, err
}

// with calls do with a run of c that is ready to begin, within its time.
func with(ctx context.Context, c Config, do func(ctx context.Context, r *run) error) error {
	qemu, err := Emulator()
	if err != nil {
		return err
	}
	c.setDefaults()
	if c.MemoryMiB > mostMemoryMiB {
		return fmt.Errorf("running a guest: %d MiB of memory are wanted, %d is the most", c.MemoryMiB, mostMemoryMiB)
	}
	r := run{Config: c, qemu: qemu}
	r.story = story{config: c, result: Result{Programs: make([]Output, len(c.Programs)), ConsoleLog: r.at(consoleName)}}
	if r.initramfs, err = initramfs(c.Init); err == nil {
		err = os.WriteFile(r.at(initramfsName), r.initramfs, 0o644)
	}
	if err != nil {
		return fmt.Errorf("writing the guest's initramfs: %w", err)
	}
	defer os.Remove(r.at(initramfsName))
	if r.payload, err = newPayload(c); err != nil {
		return fmt.Errorf("packing what the guest runs: %w", err)
	}
	defer r.payload.close()
	if err := os.RemoveAll(r.at(consoleName)); err != nil {
		return fmt.Errorf("removing the last console log: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.Timeout, errTimeout)
	defer cancel()
	return do(ctx, &r)
}

// follow lets the machine start and reads its results.
func (r *run) follow(ctx context.Context, m *machine) (*Result, error) {
	if err := r.payload.wait(); err != nil {
		m.kill()
		return nil, fmt.Errorf("packing what the guest runs: %w", err)
	}
	_ = m.start(r.payload) // an error is that QEMU ended, which is told below
	readErr := r.story.read(m.results, r.payload)
	if readErr != nil && ctx.Err() == nil {
		m.kill() // nobody listens to the guest any more
		return nil, r.story.end(nil, readErr, nil, "")
	}
	waitErr := m.end()
	if err := r.story.end(context.Cause(ctx), readErr, waitErr, m.stderr()); err != nil {
		return nil, err
	}
	return &r.story.result, nil
}

var errTimeout = errors.New("time is up")

func (c *Config) setDefaults() {
	if c.MemoryMiB == 0 {
		c.MemoryMiB = 1024
	}
	if c.Accel == "" {
		c.Accel = TCG
	}
	if c.CPUs == 0 && c.Accel == TCG {
		c.CPUs = 1
	}
	if c.CPUs == 0 {
		c.CPUs = 2
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Minute
	}
}

// story is what the records have told so far.
type story struct {
	config Config
	result Result
	loaded int
	exited int // programs
	done   bool
	broken *wire.Record
}

const maxRecordBytes = 64 << 20

func (s *story) read(results io.Reader, lent *payload) error {
	lines := bufio.NewScanner(wire.Lines(results))
	lines.Buffer(nil, maxRecordBytes)
	for lines.Scan() {
		var r wire.Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("a line on the result port is no record: %q: %w", lines.Text(), err)
		}
		if r.Program < 0 || r.Program > max(0, len(s.result.Programs)-1) {
			return fmt.Errorf("a record is of a program that there is not: %q", lines.Text())
		}
		if err := lent.fetch(&r); err != nil {
			return err
		}
		s.take(r)
		if s.config.OnRecord != nil {
			s.config.OnRecord(r)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("what came on the result port is no record: %w", err)
	}
	return nil
}

func (s *story) take(r wire.Record) {
	at := time.Duration(r.Uptime * float64(time.Second))
	switch r.Kind {
	case wire.Booted:
		s.result.Release, s.result.Booted = r.Release, at
	case wire.Loaded:
		s.loaded++
		s.result.Loaded = at
	case wire.Done:
		s.done = true
	case wire.Broken:
		s.broken = &r
	case wire.Stdout, wire.Stderr, wire.Exited:
		if len(s.result.Programs) > 0 {
			s.takeOf(&s.result.Programs[r.Program], r, at)
		}
	}
}

func (s *story) takeOf(p *Output, r wire.Record, at time.Duration) {
	switch r.Kind {
	case wire.Stdout:
		p.Stdout = append(append(p.Stdout, r.Text...), '\n')
	case wire.Stderr:
		p.Stderr = append(append(p.Stderr, r.Text...), '\n')
	case wire.Exited:
		p.ExitCode, p.Ended = r.Code, at
		s.exited++
	}
}

// end gives the verdict once QEMU is gone: what kept the guest from its end, if anything.
func (s *story) end(ctxErr, readErr, waitErr error, qemuErrors string) error {
	if s.done && readErr == nil {
		return nil
	}
	e := &Error{}
	if _, err := os.Stat(s.result.ConsoleLog); err == nil {
		e.ConsoleLog, e.Tail = s.result.ConsoleLog, proc.Tail(s.result.ConsoleLog)
	}
	panicked := findPanic(s.result.ConsoleLog)
	if len(panicked.console) > 0 { // also of a guest that hung since
		e.Tail = panicked.console
	}
	switch {
	case readErr != nil && ctxErr == nil:
		e.What, e.Err = "reading its results failed", readErr
	case s.broken != nil && s.broken.Module != "":
		e.What = s.broken.Text + "; the module does not fit this kernel, or lacks one that it depends on: see the console"
	case s.broken != nil:
		e.What = s.broken.Text
	case errors.Is(ctxErr, errTimeout):
		e.What = fmt.Sprintf("it hung: no end after %v, %s; look at the console, or allow more time", s.config.Timeout, s.phase())
	case ctxErr != nil:
		e.What, e.Err = "interrupted "+s.phase(), ctxErr
	case panicked.reason != "":
		e.What = fmt.Sprintf("its kernel panicked %s: %s; the module or the kernel is at fault", s.phase(), panicked.reason)
	case waitErr != nil:
		e.What, e.Err = "QEMU failed "+s.phase()+": "+qemuErrors, waitErr
	default:
		e.What = "it ended " + s.phase() + " without a result"
	}
	return e
}

func (s *story) phase() string {
	modules, programs := s.config.Modules, s.config.Programs
	switch {
	case s.result.Release == "":
		return "before its init ran"
	case s.loaded < len(modules):
		return "while it loaded " + kmod.NameOf(modules[s.loaded])
	case s.exited < len(programs):
		return "while " + filepath.Base(programs[s.exited].File) + " ran"
	}
	return "while it powered off"
}
