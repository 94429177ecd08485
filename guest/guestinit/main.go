//go:build linux

// Guestinit is process 1 of the guest. It mounts what programs expect, waits until the host lets it start, which may be long after
// it booted, loads the job's modules, runs the job's programs, tells the host on the second serial
// port what happened, and powers the machine off. It is made static (CGO_ENABLED=0), since
// nothing else is in the guest.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/guest/wire"
)

const (
	resultPort   = "/dev/ttyS1"
	maxLineBytes = 16 << 20
	chunkBytes   = 64 << 10 // of a pipe
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "guestinit: it is process 1 of a guest that kmodaudit boots; it would power this machine off")
		os.Exit(2)
	}
	defer powerOff()
	booted := uptime()
	if err := mountAll(); err != nil {
		console("guestinit: %v", err)
		return
	}
	port, err := openRaw(resultPort)
	if err != nil {
		console("guestinit: opening the result port: %v", err)
		return
	}
	start, err := awaitStart(port)
	if err != nil {
		console("guestinit: %v", err)
		return
	}
	memory, err := mapMemory(start)
	if err != nil {
		console("guestinit: mapping the memory with the payload: %v", err)
		return
	}
	r := startReporter(port, lender{memory: memory, next: start.Payload})
	if err := run(r, start, memory, booted); err != nil {
		console("guestinit: %v", err)
	}
	r.close()
	_ = unix.IoctlSetInt(int(port.Fd()), unix.TCSBRK, 1) // tcdrain: power-off must not overtake the last record
}

func run(r *reporter, start wire.Start, memory []byte, booted time.Duration) error {
	r.sendAt(booted, wire.Record{Kind: wire.Booted, Release: release()})
	payload, err := prepare(start, memory)
	if err != nil {
		r.send(wire.Record{Kind: wire.Broken, Text: err.Error()})
		return err
	}
	for _, module := range payload.Job.Modules {
		if err := load(payload, module); err != nil {
			r.send(wire.Record{Kind: wire.Broken, Module: module.Name, Text: err.Error()})
			return err
		}
		r.send(wire.Record{Kind: wire.Loaded, Module: module.Name})
	}
	for i, program := range payload.Job.Programs {
		code, err := runProgram(i, program, r)
		if err != nil {
			r.send(wire.Record{Kind: wire.Broken, Text: err.Error()})
			return err
		}
		r.send(wire.Record{Kind: wire.Exited, Program: i, Code: code})
	}
	r.send(wire.Record{Kind: wire.Done})
	return nil
}

// reporter writes records while the programs run on.
type reporter struct {
	records chan wire.Record
	written chan struct{}
}

// maxWaiting records wait for the port at most.
const maxWaiting = 256

func startReporter(port io.Writer, l lender) *reporter {
	r := &reporter{make(chan wire.Record, maxWaiting), make(chan struct{})}
	go r.write(wire.NewStream(port), l)
	return r
}

func (r *reporter) send(record wire.Record) { r.sendAt(uptime(), record) }

func (r *reporter) sendAt(at time.Duration, record wire.Record) {
	record.Uptime = at.Seconds()
	r.records <- record
}

// close waits until all records are written.
func (r *reporter) close() {
	close(r.records)
	<-r.written
}

func (r *reporter) write(s *wire.Stream, l lender) {
	defer close(r.written)
	for record := range r.records {
		l.lend(&record)
		err := s.Write(record)
		if len(r.records) == 0 {
			err = errors.Join(err, s.Flush())
		}
		if err != nil {
			console("guestinit: writing to the result port: %v", err)
		}
	}
}

func mountAll() error {
	for _, m := range []struct{ kind, dir string }{
		{"devtmpfs", "/dev"},
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"tmpfs", "/tmp"},
		{"tmpfs", "/run"},
		{"tracefs", "/sys/kernel/tracing"},
	} {
		if err := os.MkdirAll(m.dir, 0o755); err != nil && m.kind != "tracefs" {
			return fmt.Errorf("making %s: %w", m.dir, err)
		}
		err := unix.Mount(m.kind, m.dir, m.kind, 0, "")
		if err != nil && m.kind != "tracefs" { // a kernel may lack the tracer
			return fmt.Errorf("mounting %s on %s: %w", m.kind, m.dir, err)
		}
	}
	return nil
}

// openRaw opens a serial port without echo and without changing what is written.
func openRaw(path string) (*os.File, error) {
	port, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	t, err := unix.IoctlGetTermios(int(port.Fd()), unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = t.Cflag&^(unix.CBAUD|unix.CSIZE|unix.PARENB) | unix.CS8 | unix.B115200 | unix.CLOCAL
	if err := unix.IoctlSetTermios(int(port.Fd()), unix.TCSETS, t); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return port, nil
}

func load(payload wire.Payload, module wire.File) error {
	image, err := payload.Content(module)
	if err != nil {
		return err
	}
	if err := unix.InitModule(image, ""); err != nil {
		return fmt.Errorf("loading %s: %w", module.Name, err)
	}
	return nil
}

func runProgram(index int, program wire.Program, r *reporter) (code int, err error) {
	cmd := exec.Command(programPath(program), program.Args...)
	cmd.Env, cmd.Dir = program.Env, "/tmp"
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, fmt.Errorf("connecting to the program: %w", err)
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return 0, fmt.Errorf("connecting to the program: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("starting the program: %w", err)
	}
	var relays sync.WaitGroup
	relays.Go(func() { relay(stdout, wire.Record{Kind: wire.Stdout, Program: index}, r.send) })
	relays.Go(func() { relay(stderr, wire.Record{Kind: wire.Stderr, Program: index}, r.send) })
	relays.Wait()
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return 0, fmt.Errorf("waiting for the program: %w", err)
	}
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// relay sends whole lines, as many as are there at a time.
func relay(from io.Reader, record wire.Record, send func(wire.Record)) {
	var held []byte
	chunk := make([]byte, chunkBytes)
	for {
		n, err := from.Read(chunk)
		held = append(held, chunk[:n]...)
		if end := bytes.LastIndexByte(held, '\n'); end >= 0 {
			record.Text = string(held[:end])
			send(record)
			held = append(held[:0], held[end+1:]...)
		}
		if err == nil && len(held) > maxLineBytes {
			err = fmt.Errorf("a line has more than %d bytes", maxLineBytes)
		}
		if err == nil {
			continue
		}
		if len(held) > 0 && len(held) <= maxLineBytes {
			record.Text = string(held)
			send(record)
		}
		if !errors.Is(err, io.EOF) {
			record.Text = "guestinit: reading the program's " + string(record.Kind) + ": " + err.Error()
			record.Kind = wire.Stderr
			send(record)
			_, _ = io.Copy(io.Discard, from)
		}
		return
	}
}

// console says something where a person who reads the console log finds it.
func console(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

func release() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

func uptime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t)
	return time.Duration(t.Nano())
}

// powerOff ends the machine. A kernel without ACPI can only be restarted, which
// QEMU's -no-reboot turns into an end as well.
func powerOff() {
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
}
