package guest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Start is how a guest came to run.
type Start struct {
	Resumed bool   // from a machine that booted the same kernel earlier
	Because string // why it was booted though machines are kept
}

func (s Start) String() string {
	switch {
	case s.Resumed:
		return "resumed from a kernel booted earlier"
	case s.Because != "":
		return "booted, since " + s.Because
	}
	return "booted"
}

// run is a guest on its way.
type run struct {
	Config
	qemu      string
	initramfs []byte
	payload   *payload
	story     story
}

// Names of a run's files, below Config.Dir.
const (
	initramfsName = "initramfs.cpio"
	consoleName   = "console.log"
)

const (
	keptStep     = "booted" // of the cache
	keptAttempts = 2        // the second after one that was kept and not accepted
)

// ready returns a machine whose init waits for its start: resumed, if one was kept, or booted, and then kept.
func (r *run) ready(ctx context.Context) (*machine, error) {
	if !r.keeps() {
		return r.boot(ctx)
	}
	because := "none was kept"
	for range keptAttempts {
		dir, m, err := r.kept(ctx)
		switch {
		case m != nil:
			r.story.result.Start.Because = because
			return m, nil
		case errors.Is(err, errNotKept):
			return r.bootBecause(ctx, err.Error())
		case err != nil:
			return nil, err
		}
		m, err = r.resume(ctx, dir)
		if err == nil {
			r.story.result.Start.Resumed = true
			return m, nil
		}
		if ctx.Err() != nil {
			return nil, r.story.end(context.Cause(ctx), nil, nil, "")
		}
		because = fmt.Sprintf("the one that was kept was not accepted: %v", err)
		if err := r.Cache.Discard(ctx, dir); err != nil {
			return r.bootBecause(ctx, fmt.Sprintf("%s, nor removed: %v", because, err))
		}
	}
	return r.bootBecause(ctx, because)
}

// keeps says whether machines are kept. Under KVM a kernel boots in a second or two.
func (r *run) keeps() bool { return r.Cache != "" && r.Accel != KVM }

// errNotKept is that a machine that has booted could not be kept.
var errNotKept = errors.New("keeping one failed")

// kept returns the directory of a machine that is kept. If none was, one is booted and kept, and returned too.
func (r *run) kept(ctx context.Context) (dir string, m *machine, err error) {
	identity, err := r.identity()
	if err != nil {
		return "", nil, err
	}
	var bootErr error
	dir, _, err = r.Cache.Do(ctx, keptStep, identity, func(dir string) error {
		if m, bootErr = r.boot(ctx); bootErr != nil {
			return bootErr
		}
		err := m.keep(ctx, dir, r.at(consoleName))
		if err != nil {
			m.kill()
			m = nil
		}
		return err
	})
	switch {
	case m != nil:
		return dir, m, nil
	case bootErr != nil:
		return "", nil, bootErr
	case ctx.Err() != nil:
		return "", nil, r.story.end(context.Cause(ctx), nil, nil, "")
	case err != nil:
		return "", nil, fmt.Errorf("%w: %w", errNotKept, err)
	}
	return dir, nil, nil
}

func (r *run) bootBecause(ctx context.Context, because string) (*machine, error) {
	r.story.result.Start.Because = because
	return r.boot(ctx)
}

// identity is what a machine that was kept must have in common with the one that takes its place.
func (r *run) identity() (any, error) {
	kernel, err := os.ReadFile(r.Kernel)
	if err != nil {
		return nil, err
	}
	qemu, err := os.Stat(r.qemu)
	if err != nil {
		return nil, err
	}
	host, err := os.ReadFile("/proc/version")
	if err != nil {
		return nil, err
	}
	same := *r // but for the names of files
	same.Kernel = ""
	return struct {
		QEMU              string
		QEMUBytes         int64
		QEMUTime          int64 // of the file, as nanoseconds since 1970: another version has another
		Options           []string
		Kernel, Initramfs string // SHA-256
		Host, Processor   string // whose time stamp counter the guest's is made of
	}{
		r.qemu, qemu.Size(), qemu.ModTime().UnixNano(),
		same.arguments("", "", r.payload.size, booting), digest(kernel), digest(r.initramfs),
		strings.TrimSpace(string(host)), processor(),
	}, nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// processor names the host's, empty if it has no name.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if key, name, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(name)
		}
	}
	return ""
}

// boot returns a machine that has booted.
func (r *run) boot(ctx context.Context) (*machine, error) {
	memory, err := newMemory("memory")
	if err != nil {
		return nil, fmt.Errorf("getting memory for the guest: %w", err)
	}
	if err := memory.Truncate(int64(r.MemoryMiB) << 20); err != nil {
		return nil, errors.Join(fmt.Errorf("getting memory for the guest: %w", err), memory.Close())
	}
	m, err := r.power(ctx, memory, booting)
	if err != nil {
		return nil, errors.Join(err, memory.Close())
	}
	switch err := m.awaitReady(); {
	case errors.Is(err, errEnded):
		waitErr := m.end()
		return nil, r.story.end(context.Cause(ctx), nil, waitErr, m.stderr())
	case err != nil:
		m.kill()
		return nil, r.story.end(context.Cause(ctx), err, nil, "")
	}
	return m, nil
}

// resume returns a machine that takes the place of the one that was kept in dir. An error that is not ctx's is that it cannot.
func (r *run) resume(ctx context.Context, dir string) (*machine, error) {
	memoryBytes := int64(r.MemoryMiB) << 20
	k, err := openKept(dir, memoryBytes)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(r.at(consoleName), k.console, 0o644); err != nil {
		return nil, errors.Join(err, k.memory.Close())
	}
	m, err := r.power(ctx, k.memory, resuming)
	if err != nil {
		return nil, errors.Join(err, k.memory.Close())
	}
	checked := make(chan error, 1)
	go func() { checked <- k.check(memoryBytes) }() // while QEMU starts
	if err := m.takeOver(ctx, k.devices, checked); err != nil {
		m.kill()
		if said := m.stderr(); said != "" {
			err = fmt.Errorf("%w: %s", err, said)
		}
		return nil, errors.Join(err, os.Remove(r.at(consoleName)))
	}
	return m, nil
}

func (r *run) power(ctx context.Context, memory *os.File, how beginning) (*machine, error) {
	m, err := power(ctx, r.qemu, r.arguments(r.at(initramfsName), r.at(consoleName), r.payload.size, how), memory, r.payload.memory)
	if err != nil {
		return nil, fmt.Errorf("starting QEMU: %w", err)
	}
	return m, nil
}

func (r *run) at(name string) string { return filepath.Join(r.Dir, name) }
