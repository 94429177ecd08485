package guest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/kmodaudit/kmodaudit/guest/wire"
)

// Variables that have this test's binary be a QEMU that speaks QMP, and have that QEMU a fault.
const (
	monitoredEnv = "KMODAUDIT_TEST_QEMU"
	faultEnv     = "KMODAUDIT_TEST_QEMU_FAULT"
)

// Faults of a QEMU.
const (
	refusesMigrate = "refuses migrate"
	failsToMigrate = "fails to migrate"
	diesMigrating  = "dies migrating"
	migratesOn     = "migrates for ever"
	endlessDevices = "endless devices"
	deafMonitor    = "deaf monitor"
	refusesDevices = "refuses devices"
	runsByItself   = "runs by itself"
)

// What a QEMU without fault writes where it is kept, and wants where it is resumed.
const (
	fakeMemory  = "memory of a booted kernel"
	fakeDevices = "devices of a booted kernel"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(monitoredEnv) != "":
		if err := beQEMU(os.Getenv(faultEnv)); err != nil {
			fmt.Fprintln(os.Stderr, "qemu-system-x86_64:", err)
			os.Exit(1)
		}
	case os.Getenv(runnerEnv) != "":
		beRunner()
	default:
		os.Exit(m.Run())
	}
}

// monitoredQEMU puts a QEMU on the PATH that can be kept and resumed, but for a fault.
func monitoredQEMU(t *testing.T, fault string) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("guests run on x86-64 only")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	file(t, bin, "qemu-system-x86_64", "#!/bin/sh\n"+monitoredEnv+"=1 "+runnerEnv+"= exec '"+self+"' \"$@\"\n")
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv(faultEnv, fault)
}

// beQEMU is a QEMU whose guest boots at once, prints two lines for its only program, and ends.
func beQEMU(fault string) error {
	incoming := slices.Contains(os.Args, "-incoming")
	memory := os.NewFile(memoryFD, "memory")
	monitor := os.NewFile(monitorFD, "monitor")
	conn, err := net.FileConn(monitor)
	if err := errors.Join(err, monitor.Close()); err != nil {
		return err
	}
	for _, arg := range os.Args {
		if _, console, ok := strings.Cut(arg, "file,id=console,append=on,path="); ok {
			if err := os.WriteFile(console, nil, 0o644); err != nil {
				return err
			}
		}
	}
	q := fakeMonitor{fault: fault, socket: conn.(*net.UnixConn), memory: memory, status: "running", resumed: make(chan struct{})}
	if incoming {
		q.status = "inmigrate"
	} else {
		close(q.resumed)
		if _, err := memory.WriteAt([]byte(fakeMemory), 0); err != nil {
			return err
		}
		fmt.Println(wire.Ready)
	}
	failed := make(chan error, 1)
	go func() { failed <- q.serve() }()
	go func() { failed <- fakeGuest(q.resumed) }()
	for {
		err := <-failed
		if errors.Is(err, errHungUp) {
			continue
		}
		return err
	}
}

// fakeGuest waits for its start and tells what a guest with one program does.
func fakeGuest(resumed chan struct{}) error {
	<-resumed
	line, err := bufio.NewReader(os.Stdin).ReadBytes('\n')
	if err != nil {
		return err
	}
	var start wire.Start
	if err := json.Unmarshal(line, &start); err != nil {
		return err
	}
	const lent = "what was lent"
	if _, err := os.NewFile(payloadFD, "payload").WriteAt([]byte(lent), start.Payload); err != nil {
		return err
	}
	s := wire.NewStream(os.Stdout)
	for _, r := range []wire.Record{
		{Kind: wire.Booted, Uptime: 2.5, Release: "6.1.0"},
		{Kind: wire.Stdout, Text: fmt.Sprintf("seed of %d bytes, payload of %d", len(start.Seed), start.Payload)},
		{Kind: wire.Stdout, Lent: &wire.Area{Offset: start.Payload, Bytes: int64(len(lent))}},
		{Kind: wire.Exited},
		{Kind: wire.Done},
	} {
		if err := s.Write(r); err != nil {
			return err
		}
	}
	return s.Flush()
}

var errHungUp = errors.New("nobody asks any more")

type fakeMonitor struct {
	fault   string
	socket  *net.UnixConn
	memory  *os.File
	passed  *os.File
	status  string
	resumed chan struct{}
}

func (q *fakeMonitor) serve() error {
	if q.fault == deafMonitor {
		q.socket.Close()
		return errHungUp
	}
	if _, err := io.WriteString(q.socket, `{"QMP": {"version": {}, "capabilities": []}}`+"\n"); err != nil {
		return errHungUp
	}
	buf, rights := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	for {
		n, oob, _, _, err := q.socket.ReadMsgUnix(buf, rights)
		if err != nil || n == 0 {
			return errHungUp
		}
		if err := q.take(rights[:oob]); err != nil {
			return err
		}
		var asked struct {
			Execute string
			ID      int
		}
		if err := json.Unmarshal(bytes.TrimSpace(buf[:n]), &asked); err != nil {
			return err
		}
		answer, err := q.do(asked.Execute)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(q.socket, `{"event": "SOMETHING"}`+"\n"+`{%s, "id": %d}`+"\n", answer, asked.ID); err != nil {
			return errHungUp
		}
	}
}

// take takes the descriptor that came with a command.
func (q *fakeMonitor) take(rights []byte) error {
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil || len(messages) == 0 {
		return err
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return err
	}
	q.passed = os.NewFile(uintptr(fds[0]), "devices")
	return nil
}

const nothing = `"return": {}`

func (q *fakeMonitor) do(command string) (string, error) {
	switch command {
	case "migrate":
		return q.migrate()
	case "query-migrate":
		switch q.fault {
		case migratesOn:
			return `"return": {"status": "active"}`, nil
		case failsToMigrate:
			return `"return": {"status": "failed", "error-desc": "no space left"}`, nil
		}
		return `"return": {"status": "completed"}`, nil
	case "migrate-incoming":
		return nothing, q.incoming()
	case "query-status":
		return fmt.Sprintf(`"return": {"status": %q}`, q.status), nil
	case "cont":
		if q.status == "paused" {
			close(q.resumed)
		}
		q.status = "running"
	}
	return nothing, nil
}

func (q *fakeMonitor) migrate() (string, error) {
	devices := fakeDevices
	switch q.fault {
	case refusesMigrate:
		return `"error": {"class": "GenericError", "desc": "State blocked"}`, nil
	case diesMigrating:
		return "", errors.New("out of luck")
	case endlessDevices:
		devices = strings.Repeat("x", 2*maxDevicesBytes)
	}
	go func() {
		_, _ = io.WriteString(q.passed, devices)
		q.passed.Close()
	}()
	return nothing, nil
}

func (q *fakeMonitor) incoming() error {
	devices, err := io.ReadAll(q.passed)
	if err != nil {
		return err
	}
	memory := make([]byte, len(fakeMemory))
	if _, err := q.memory.ReadAt(memory, 0); err != nil {
		return err
	}
	if string(devices) != fakeDevices || string(memory) != fakeMemory {
		return fmt.Errorf("resumed from devices %q and memory %q", devices, memory)
	}
	switch q.fault {
	case refusesDevices:
		return errors.New("error while loading state for instance 0x0 of device 'ram'")
	case runsByItself:
		q.status = "internal-error"
	default:
		q.status = "paused"
	}
	return nil
}

// keptOf returns what is kept in a cache.
func keptOf(t *testing.T, c Config) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(string(c.Cache), keptStep+"-*", "inputs.json"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}
