package guest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/guest/wire"
	"github.com/kmodaudit/kmodaudit/proc"
)

// machine is a running QEMU.
type machine struct {
	cmd     *exec.Cmd
	cancel  context.CancelFunc
	results *bufio.Reader // of the result port
	port    io.WriteCloser
	memory  *os.File // of the guest
	monitor net.Conn
	errors  bytes.Buffer
}

// Descriptors of QEMU, the first of exec.Cmd.ExtraFiles being 3.
const (
	monitorFD = iota + 3
	memoryFD
	payloadFD
)

// beginning says how a machine begins.
type beginning bool

const (
	booting  beginning = false
	resuming beginning = true // where another was kept
)

func (c *Config) arguments(initramfs, console string, payloadBytes int64, how beginning) []string {
	cpu := "qemu64" // what "max" has besides (AVX, five levels of pages, SMAP) takes time to translate
	if c.Accel == KVM {
		cpu = "host"
	}
	share := "on" // what the guest writes can be read here
	if how == resuming {
		share = "off" // it writes to copies
	}
	args := []string{
		"-nodefaults", "-no-user-config", "-display", "none",
		"-no-reboot", // a panic ends QEMU
		"-accel", string(c.Accel), "-cpu", cpu, "-smp", fmt.Sprint(c.CPUs),
		"-m", fmt.Sprintf("%dM,slots=1,maxmem=%dM", c.MemoryMiB, int64(c.MemoryMiB)+payloadBytes>>20),
		"-machine", "pc,nvdimm=on,memory-backend=memory",
		"-object", fmt.Sprintf("memory-backend-file,id=memory,size=%dM,mem-path=/proc/self/fd/%d,share=%s", c.MemoryMiB, memoryFD, share),
		"-object", fmt.Sprintf("memory-backend-file,id=payload,size=%d,mem-path=/proc/self/fd/%d,share=on", payloadBytes, payloadFD),
		"-device", fmt.Sprintf("nvdimm,memdev=payload,addr=%#x", int64(wire.PayloadAddress)),
		"-kernel", c.Kernel, "-initrd", initramfs,
		"-append", strings.Join([]string{
			"console=ttyS0",
			"panic=-1",   // restart at once
			"oops=panic", // an oops is a failed run, not a line in a log
			"loglevel=6",
			"no_timer_check", // on a busy host the kernel finds the timer too late, and panics
		}, " "),
		"-chardev", "file,id=console,append=on,path=" + escapeComma(console), "-serial", "chardev:console",
		"-chardev", "stdio,id=results,signal=off", "-serial", "chardev:results",
		"-chardev", fmt.Sprintf("socket,id=monitor,fd=%d", monitorFD), "-mon", "chardev=monitor,mode=control",
	}
	if how == resuming {
		args = append(args, "-incoming", "defer")
	}
	return args
}

// escapeComma writes a path for QEMU's KEY=VALUE,… syntax.
func escapeComma(path string) string { return strings.ReplaceAll(path, ",", ",,") }

// power starts QEMU. The machine that it returns must be ended; it owns memory.
func power(ctx context.Context, qemu string, args []string, memory, payload *os.File) (*machine, error) {
	monitor, theirMonitor, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirMonitor.Close()
	ctx, cancel := context.WithCancel(ctx)
	m := &machine{cmd: exec.CommandContext(ctx, qemu, args...), cancel: cancel, memory: memory, monitor: monitor}
	proc.EndWithGroup(m.cmd)
	m.cmd.Stderr = &m.errors
	m.cmd.ExtraFiles = []*os.File{monitorFD - 3: theirMonitor, memoryFD - 3: memory, payloadFD - 3: payload}
	results, err := m.cmd.StdoutPipe()
	if err == nil {
		m.port, err = m.cmd.StdinPipe()
	}
	if err == nil {
		err = m.cmd.Start()
	}
	if err != nil {
		cancel()
		return nil, errors.Join(err, monitor.Close())
	}
	m.results = bufio.NewReader(results)
	return m, nil
}

// socketPair returns two ends of a connection, the second to be inherited.
func socketPair() (net.Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "monitor"), os.NewFile(uintptr(fds[1]), "monitor")
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return conn, theirs, nil
}

// kill ends a machine that nobody wants any more.
func (m *machine) kill() {
	m.cancel()
	_ = m.end()
}

// end waits until the machine has ended.
func (m *machine) end() error {
	err := m.cmd.Wait()
	m.cancel()
	_ = m.monitor.Close()
	_ = m.memory.Close()
	return err
}

// stderr is what QEMU had to say, complete when it has ended.
func (m *machine) stderr() string { return strings.TrimSpace(m.errors.String()) }

// errEnded is a machine that ended before its init was ready.
var errEnded = errors.New("it ended")

// awaitReady waits until the init is about to wait.
func (m *machine) awaitReady() error {
	line, err := m.results.Peek(len(wire.Ready) + 1)
	switch {
	case string(line) == wire.Ready+"\n":
		_, err = m.results.Discard(len(line))
		return err
	case len(line) > 0:
		return fmt.Errorf("its init said %q, which is no record, and not that it is ready", line)
	case errors.Is(err, io.EOF):
		return errEnded
	}
	return err
}

const seedBytes = 32

// start lets the init begin.
func (m *machine) start(p *payload) error {
	s := wire.Start{Time: time.Now().UnixNano(), Seed: make([]byte, seedBytes), Payload: p.bytes, Memory: p.size}
	_, _ = rand.Read(s.Seed) // never fails
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = m.port.Write(append(line, '\n'))
	return err
}
